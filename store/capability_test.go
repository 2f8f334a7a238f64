package store_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

// guard answers for whoever asks whether it is asked.
type guard struct{ store.Store }

func (guard) CreateTokenIfActive(context.Context, store.Token) (store.Status, error) {
	return store.HolderBlocked, nil
}

func TestCreateTokenIfActiveTakesTheWayOfTheStore(t *testing.T) {
	t.Parallel()
	s := memory.New()
	alice := caveat.User("alice")
	token := store.Token{ID: "t1", Name: "name", Version: 2, Subject: alice, Type: "act", Secret: store.NewSecret("secret")}

	holder, err := store.CreateTokenIfActive(t.Context(), guard{s}, token)
	require.NoError(t, err)
	require.Equal(t, store.HolderBlocked, holder, "the guard was not asked")

	holder, err = store.CreateTokenIfActive(t.Context(), s, token)
	require.NoError(t, err)
	require.Equal(t, store.HolderMissing, holder)
	require.NoError(t, s.CreateIdentity(t.Context(), store.Identity{Subject: alice}))
	holder, err = store.CreateTokenIfActive(t.Context(), s, token)
	require.NoError(t, err)
	require.Equal(t, store.HolderActive, holder)
	holder, err = store.CreateTokenIfActive(t.Context(), s, token)
	require.ErrorIs(t, err, errors.IDAlreadyExists)
	require.Zero(t, holder)

	require.NoError(t, s.UpdateIdentity(t.Context(), alice, func(i *store.Identity) error { i.Blocked = true; return nil }))
	holder, err = store.CreateTokenIfActive(t.Context(), s, token)
	require.NoError(t, err)
	require.Equal(t, store.HolderBlocked, holder)
	_, err = store.CreateTokenIfActive(t.Context(), s, store.Token{Subject: alice})
	require.ErrorIs(t, err, errors.IDBadData)

	require.NoError(t, s.Close())
	_, err = store.CreateTokenIfActive(t.Context(), s, token)
	require.Error(t, err)
	require.NotErrorIs(t, err, errors.IDNotFound)
}
