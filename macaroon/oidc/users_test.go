package oidc_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	catalogue "github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/oidc"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

func (f *fixture) alice() caveat.Subject {
	return caveat.User(oidc.UserID(f.issuer.URL, "alice@egi.eu"))
}

func TestBlockedUsersStayBlocked(t *testing.T) {
	f := newFixture(t)
	f.requireAccepted(t, f.good(nil))
	require.NoError(t, f.authority.SetBlocked(t.Context(), f.alice(), true))
	for range 2 {
		_, err := f.Identify(t.Context(), f.good(nil))
		require.Equal(t, catalogue.UserBlocked(), err)
	}
	// Only the holder of a good token learns that the user is blocked.
	f.requireRefused(t, f.good(map[string]any{"exp": 1}))
	require.NoError(t, f.authority.SetBlocked(t.Context(), f.alice(), false))
	f.requireAccepted(t, f.good(nil))
}

func TestUsersCanBeBlockedBeforeTheirFirstLogIn(t *testing.T) {
	f := newFixture(t)
	user, err := f.authority.CreateUser(t.Context(), macaroon.NewUser{ID: oidc.UserID(f.issuer.URL, "alice@egi.eu")})
	require.NoError(t, err)
	require.NoError(t, f.authority.SetBlocked(t.Context(), user, true))
	_, err = f.Identify(t.Context(), f.good(nil))
	require.Equal(t, catalogue.UserBlocked(), err)
}

func withUsernames(o *oidc.Options) { o.UsernameClaim = "preferred_username" }

func TestNamesOfNewUsers(t *testing.T) {
	type m = map[string]any
	for name, c := range map[string]struct {
		changes            m
		username, fullName string
	}{
		"both":              {m{"preferred_username": "alice"}, "alice", "Alice Example"},
		"none":              {m{"name": nil}, "", ""},
		"not valid":         {m{"preferred_username": "alice@egi.eu", "name": "<script>"}, "", ""},
		"valid full name":   {m{"preferred_username": "a"}, "", "Alice Example"},
		"valid user name":   {m{"preferred_username": "alice", "name": strings.Repeat("a", 51)}, "alice", ""},
		"of other types":    {m{"preferred_username": 7, "name": []string{"Alice Example"}}, "", ""},
		"too long to check": {m{"preferred_username": strings.Repeat("a", 256), "name": strings.Repeat("a", 256)}, "", ""},
		"taken":             {m{"preferred_username": "admin"}, "", "Alice Example"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, withUsernames)
			admin, err := f.authority.CreateUser(t.Context(), macaroon.NewUser{Username: "admin"})
			require.NoError(t, err)
			user, err := f.Identify(t.Context(), f.good(c.changes))
			require.NoError(t, err)
			require.Equal(t, f.alice(), user)
			require.NotEqual(t, admin, user, "users must not be found by their name")
			stored, err := f.authority.User(t.Context(), user)
			require.NoError(t, err)
			require.Equal(t, c.username, stored.Username)
			require.Equal(t, c.fullName, stored.FullName)
		})
	}
}

// What a JWT does not say about a new user, the userinfo endpoint may.
func TestNamesOfTheUserinfoEndpoint(t *testing.T) {
	f := newFixture(t, withUsernames)
	token := f.good(map[string]any{"name": nil})
	f.issuer.setUserinfo(token[4:], map[string]any{"sub": "alice@egi.eu", "name": "Alice Userinfo", "preferred_username": "alice"})
	f.requireAccepted(t, token)
	stored, err := f.authority.User(t.Context(), f.alice())
	require.NoError(t, err)
	require.Equal(t, "alice", stored.Username)
	require.Equal(t, "Alice Userinfo", stored.FullName)
	f.clock.Advance(time.Minute)
	f.requireAccepted(t, token)
	require.Equal(t, 1, f.issuer.requests(userinfoPath), "only for a new user")
}

func TestTheUserinfoEndpointNamesAnother(t *testing.T) {
	f := newFixture(t)
	token := f.good(map[string]any{"name": nil})
	f.issuer.setUserinfo(token[4:], map[string]any{"sub": "bob@egi.eu", "name": "Bob"})
	f.requireRefused(t, token)
	require.Empty(t, f.users(t))
}

func onlyGroups(o *oidc.Options) {
	o.GroupsClaim, o.AllowedGroups = "groups", []string{"onezone-users", "admins"}
}

func TestAllowedGroups(t *testing.T) {
	for name, c := range map[string]struct {
		groups  any
		allowed bool
	}{
		"one":             {[]string{"a", "admins"}, true},
		"a string":        {"onezone-users", true},
		"another":         {[]string{"a"}, false},
		"a longer one":    {[]string{"onezone-users-not"}, false},
		"a shorter one":   {[]string{"onezone"}, false},
		"another case":    {[]string{"ADMINS"}, false},
		"a list in text":  {"admins,onezone-users", false},
		"none":            {[]string{}, false},
		"no claim":        {nil, false},
		"not all strings": {[]any{"admins", 7}, false},
		"an object":       {map[string]any{"admins": true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, onlyGroups)
			token := f.good(map[string]any{"groups": c.groups})
			if c.allowed {
				f.requireAccepted(t, token)
				return
			}
			f.requireRefused(t, token)
			require.Empty(t, f.users(t))
		})
	}
}

// A user who has left the groups cannot log in any more.
func TestGroupsAreCheckedAtEachLogIn(t *testing.T) {
	f := newFixture(t, onlyGroups)
	f.requireAccepted(t, f.good(map[string]any{"groups": "admins"}))
	f.requireRefused(t, f.good(map[string]any{"groups": "a"}))
	f.requireRefused(t, f.good(nil))
}

func TestGroupsOfTheUserinfoEndpoint(t *testing.T) {
	f := newFixture(t, onlyGroups)
	token := f.good(nil)
	f.issuer.setUserinfo(token[4:], map[string]any{"sub": "alice@egi.eu", "groups": []string{"admins"}})
	f.requireAccepted(t, token)
	f.issuer.setUserinfo(token[4:], map[string]any{"sub": "alice@egi.eu", "groups": []string{"a"}})
	f.requireAccepted(t, token)
	f.clock.Advance(30 * time.Second)
	f.requireRefused(t, token)
	f.issuer.answer(userinfoPath, text(http.StatusInternalServerError, ""))
	f.clock.Advance(30 * time.Second)
	f.requireOperational(t, token, "status 500")
	// The endpoint does not replace claims of the signed token.
	f.issuer.answer(userinfoPath, nil)
	f.requireRefused(t, f.good(map[string]any{"groups": []string{}}))
}

func TestMaxUsers(t *testing.T) {
	f := newFixture(t, func(o *oidc.Options) { o.MaxUsers = 3 })
	_, err := f.authority.CreateUser(t.Context(), macaroon.NewUser{Username: "local"})
	require.NoError(t, err)
	f.requireAccepted(t, f.good(map[string]any{"sub": "a"}))
	f.requireAccepted(t, f.good(map[string]any{"sub": "b"}))
	f.requireOperational(t, f.good(map[string]any{"sub": "c"}), "the store has 3 users, and MaxUsers is 3")
	f.requireAccepted(t, f.good(map[string]any{"sub": "a"}))
	require.Len(t, f.users(t), 3)
	err = f.authority.DeleteUser(t.Context(), caveat.User(oidc.UserID(f.issuer.URL, "b")))
	require.NoError(t, err)
	f.clock.Advance(time.Minute)
	f.requireAccepted(t, f.good(map[string]any{"sub": "c"}))
}

func TestNoUsersAreCreated(t *testing.T) {
	f := newFixture(t, func(o *oidc.Options) { o.MaxUsers = -1 })
	f.requireOperational(t, f.good(nil), "MaxUsers is -1")
	require.Empty(t, f.users(t))
	_, err := f.authority.CreateUser(t.Context(), macaroon.NewUser{ID: f.alice().ID})
	require.NoError(t, err)
	f.requireAccepted(t, f.good(nil))
}

// Many first log-ins at once create one user, and none of them fails.
// Nobody is told that the user is blocked while another log-in creates it.
func TestConcurrentFirstLogIns(t *testing.T) {
	f := newFixture(t)
	token := f.good(nil)
	var calls sync.WaitGroup
	for range 20 {
		calls.Go(func() {
			if user, err := f.Identify(t.Context(), token); err != nil || user != f.alice() {
				t.Errorf("%v, %v", user, err)
			}
		})
	}
	calls.Wait()
	require.Len(t, f.users(t), 1)
}

// crowded is a store in which the creation of a user waits for another one, in
// vain if users are created one at a time.
type crowded struct {
	*memory.Store
	arrivals chan struct{}
}

func (c crowded) CreateIdentity(ctx context.Context, i store.Identity) error {
	select {
	case c.arrivals <- struct{}{}:
	case <-c.arrivals:
	case <-time.After(50 * time.Millisecond):
	}
	return c.Store.CreateIdentity(ctx, i)
}

// Many first log-ins at once do not create more users than the limit.
func TestConcurrentFirstLogInsAtTheLimit(t *testing.T) {
	f := newFixtureOver(t, crowded{memory.New(), make(chan struct{})}, func(o *oidc.Options) { o.MaxUsers = 3 })
	require.NoError(t, f.Check(t.Context()))
	var calls sync.WaitGroup
	for i := range 20 {
		token := f.good(map[string]any{"sub": fmt.Sprint("user", i)})
		calls.Go(func() { _, _ = f.Identify(t.Context(), token) })
	}
	calls.Wait()
	require.Len(t, f.users(t), 3)
}

// racing is a store in which another process creates the user at the last moment.
type racing struct {
	*memory.Store
	blocked bool // as CreateUser does until it is done
}

func (r racing) CreateIdentity(ctx context.Context, i store.Identity) error {
	i.Blocked = r.blocked
	if err := r.Store.CreateIdentity(ctx, i); err != nil {
		return err
	}
	return r.Store.CreateIdentity(ctx, i)
}

func TestAnotherProcessCreatesTheUser(t *testing.T) {
	f := newFixtureOver(t, racing{memory.New(), false})
	user, err := f.Identify(t.Context(), f.good(nil))
	require.NoError(t, err)
	require.Equal(t, f.alice(), user)
	f = newFixtureOver(t, racing{memory.New(), true})
	f.requireOperational(t, f.good(nil), "another process is creating it")
}

// down is a store that cannot be reached.
type down struct{ *memory.Store }

var errDown = errors.New("the database is down")

func (down) GetIdentity(context.Context, caveat.Subject) (store.Identity, error) {
	return store.Identity{}, errDown
}

func TestTheStoreIsDown(t *testing.T) {
	f := newFixtureOver(t, down{memory.New()})
	f.requireOperational(t, f.good(nil), "the database is down")
}
