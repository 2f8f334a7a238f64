package macaroon_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

// usernames returns the names of all users.
func usernames(t *testing.T, z *zone) (names []string) {
	t.Helper()
	for u, err := range z.Users(t.Context()) {
		require.NoError(t, err)
		names = append(names, u.Username)
	}
	return names
}

func TestUsersAreListedWithoutOneproviders(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	before := len(usernames(t, z))
	for i := range store.MaxPage + 5 {
		require.NoError(t, z.store.CreateIdentity(t.Context(), store.Identity{Subject: caveat.User(fmt.Sprint("u", i)), Username: fmt.Sprint("user-", i)}))
	}
	require.NoError(t, z.store.CreateIdentity(t.Context(), store.Identity{Subject: caveat.Provider("p9")}))
	names := usernames(t, z)
	require.Len(t, names, before+store.MaxPage+5)
	assert.Contains(t, names, "user-1004")
	for range z.Users(t.Context()) {
		break
	}
	require.NoError(t, z.store.Close())
	for _, err := range z.Users(t.Context()) {
		requireOperational(t, err)
	}
}

func TestManyUsersAreCreatedInOneGo(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	macaroon.HashQuickly(z.Authority)
	var users []macaroon.NewUser
	for i := range 100 {
		users = append(users, macaroon.NewUser{Username: fmt.Sprint("new-", i), Password: password})
	}
	var seen []int
	subjects, err := z.CreateUsers(t.Context(), users, func(done int) { seen = append(seen, done) })
	require.NoError(t, err)
	require.Len(t, subjects, 100)
	require.Len(t, seen, 100)
	require.Equal(t, 100, seen[99])
	got, err := z.LogIn(t.Context(), "new-42", password)
	require.NoError(t, err)
	require.Equal(t, subjects[42], got)
}

// All users that cannot be created are reported, and then none is created.
func TestOneBadUserKeepsAllFromBeingCreated(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	macaroon.HashQuickly(z.Authority)
	_, err := z.CreateUser(t.Context(), macaroon.NewUser{Username: "carol"})
	require.NoError(t, err)
	before := usernames(t, z)
	_, err = z.CreateUsers(t.Context(), []macaroon.NewUser{
		{Username: "dave", Password: password},
		{Username: "carol"},
		{Username: "-"},
		{Username: "erin", Password: "short"},
		{Username: "dave"},
		{Username: "frank", FullName: "?"},
		{ID: "x", Username: "grace"},
		{},
		{},
	}, func(int) { t.Error("a password is hashed before all users are checked") })
	joined, ok := err.(interface{ Unwrap() []error })
	require.True(t, ok, "%v", err)
	var indexes []int
	var ids []errors.ID
	for _, each := range joined.Unwrap() {
		refused, ok := errors.AsType[*macaroon.UserError](each)
		require.True(t, ok)
		reason, ok := errors.AsType[*errors.Error](each)
		require.True(t, ok)
		indexes, ids = append(indexes, refused.Index), append(ids, reason.ID)
	}
	assert.Equal(t, []int{1, 2, 3, 4, 5, 6}, indexes)
	assert.Equal(t, []errors.ID{
		errors.IDBadValueIdentifierOccupied, errors.IDBadValueUsername, errors.IDBadValuePassword, errors.IDBadValueIdentifierOccupied,
		errors.IDBadValueFullName, errors.IDBadValueIdentifier,
	}, ids)
	assert.ElementsMatch(t, before, usernames(t, z))
	assert.NotContains(t, err.Error(), "short")
}

// A name that is taken while the passwords are hashed keeps all users from
// being created.
func TestANameTakenConcurrentlyKeepsAllFromBeingCreated(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	macaroon.HashQuickly(z.Authority)
	before := len(usernames(t, z))
	_, err := z.CreateUsers(t.Context(), []macaroon.NewUser{{Username: "dave"}, {Username: "erin"}}, func(done int) {
		if done == 1 {
			_, err := z.CreateUser(t.Context(), macaroon.NewUser{Username: "erin"})
			require.NoError(t, err)
		}
	})
	requireID(t, errors.IDBadValueIdentifierOccupied, err)
	require.Len(t, usernames(t, z), before+1)
}

func TestCreatingUsersEndsWithTheContext(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	macaroon.HashQuickly(z.Authority)
	before := len(usernames(t, z))
	ctx, cancel := context.WithCancel(t.Context())
	_, err := z.CreateUsers(ctx, make([]macaroon.NewUser, 1000), func(int) { cancel() })
	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, usernames(t, z), before)
}
