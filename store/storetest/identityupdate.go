package storetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

var identityUpdateChecks = []check{
	{"every field that may change changes", updateIdentityFields},
	{"an error of change is returned unchanged and writes nothing", updateIdentityError},
	{"subject and creation time never change", updateIdentityKeyRefused},
	{"an invalid outcome is refused", updateIdentityInvalidRefused},
	{"a new user name frees the old", changeUsername},
	{"a taken user name is refused", changeUsernameRefused},
	{"concurrent changes to one user name: one wins", changeUsernameConcurrently},
	{"10 concurrent writers lose nothing", updateIdentityConcurrently},
}

func updateIdentityFields(t *testing.T, open func() store.Store) {
	s := open()
	createIdentities(t, s, newUser("alice"), newUser("bob"))
	want := newUser("alice")
	want.Username, want.FullName = "new name", "Nowe imię"
	want.Password, want.Blocked = store.NewSecret("another"), true
	updateIdentity(t, s, alice, func(i *store.Identity) { *i = want })
	require.Equal(t, want, getIdentity(t, s, alice))
	require.Equal(t, want, getByUsername(t, s, "new name"))
	want.Username, want.FullName, want.Password, want.Blocked = "", "", store.Secret{}, false
	updateIdentity(t, s, alice, func(i *store.Identity) { *i = want })
	require.Equal(t, want, getIdentity(t, s, alice), "fields that are empty again")
	require.Equal(t, newUser("bob"), getIdentity(t, s, bob), "another identity changed")
}

func updateIdentityError(t *testing.T, open func() store.Store) {
	s := open()
	createIdentities(t, s, newUser("alice"))
	for _, stop := range []error{errors.New("stop"), errors.TokenRevoked(), errors.NotFound()} {
		err := s.UpdateIdentity(t.Context(), alice, func(i *store.Identity) error {
			i.Username, i.Blocked = "changed", true
			return stop
		})
		require.True(t, err == stop, "want the very error %v, got %v", stop, err)
		require.Equal(t, newUser("alice"), getIdentity(t, s, alice), "a failed update was written")
		requireNoUser(t, s, "changed")
	}
}

func updateIdentityKeyRefused(t *testing.T, open func() store.Store) {
	s := open()
	createIdentities(t, s, newUser("alice"))
	for what, spoil := range map[string]func(*store.Identity){
		"subject": func(i *store.Identity) { i.Subject = bob },
		"created": func(i *store.Identity) { i.Created++ },
	} {
		err := s.UpdateIdentity(t.Context(), alice, func(i *store.Identity) error {
			i.Blocked = true
			spoil(i)
			return nil
		})
		requireID(t, err, errors.IDBadData, what)
		require.Equal(t, newUser("alice"), getIdentity(t, s, alice), what)
	}
	_, err := s.GetIdentity(t.Context(), bob)
	requireID(t, err, errors.IDNotFound)
}

func updateIdentityInvalidRefused(t *testing.T, open func() store.Store) {
	s := open()
	createIdentities(t, s, newIdentity(alice), newIdentity(provider))
	for subject, username := range map[caveat.Subject]string{alice: strings.Repeat("x", 1025), provider: "name"} {
		err := s.UpdateIdentity(t.Context(), subject, func(i *store.Identity) error {
			i.Blocked, i.Username = true, username
			return nil
		})
		requireID(t, err, errors.IDBadData)
		require.Equal(t, newIdentity(subject), getIdentity(t, s, subject))
	}
}

func changeUsername(t *testing.T, open func() store.Store) {
	s := open()
	createIdentities(t, s, newUser("alice"), newUser("bob"))
	setName := func(subject caveat.Subject, name string) {
		t.Helper()
		updateIdentity(t, s, subject, func(i *store.Identity) { i.Username = name })
	}
	setName(alice, "alice") // its own
	setName(alice, "third")
	requireNoUser(t, s, "alice")
	setName(bob, "alice")
	setName(alice, "bob")
	require.Equal(t, alice, getByUsername(t, s, "bob").Subject)
	require.Equal(t, bob, getByUsername(t, s, "alice").Subject)
	requireNoUser(t, s, "third")
	setName(alice, "")
	requireNoUser(t, s, "bob")
	setName(bob, "bob")
	require.Equal(t, bob, getByUsername(t, s, "bob").Subject)
}

func changeUsernameRefused(t *testing.T, open func() store.Store) {
	s := open()
	createIdentities(t, s, newUser("alice"), newUser("bob"))
	err := s.UpdateIdentity(t.Context(), alice, func(i *store.Identity) error {
		i.Username, i.Blocked = "bob", true
		return nil
	})
	requireOccupied(t, err, "username")
	require.Equal(t, newUser("alice"), getByUsername(t, s, "alice"), "a refused change was written")
	require.Equal(t, newUser("bob"), getByUsername(t, s, "bob"))
}

func changeUsernameConcurrently(t *testing.T, open func() store.Store) {
	s := open()
	const callers = 8
	user := func(i int) caveat.Subject { return caveat.User(fmt.Sprint("user", i)) }
	for i := range callers {
		createIdentities(t, s, newIdentity(user(i)))
	}
	for round := range 5 {
		name := fmt.Sprint("name", round)
		errs := race(callers, func(i int) error {
			return s.UpdateIdentity(t.Context(), user(i), func(identity *store.Identity) error {
				identity.Username = name
				linger()
				return nil
			})
		})
		requireOneWinner(t, errs, func(err error) { requireOccupied(t, err, "username") })
		require.Equal(t, name, getByUsername(t, s, name).Username)
	}
}

func updateIdentityConcurrently(t *testing.T, open func() store.Store) {
	s := open()
	createIdentities(t, s, newUser("alice"))
	start := len(newUser("alice").FullName)
	const writers, each = 10, 10
	for range each {
		requireAllNil(t, race(writers, func(int) error {
			return s.UpdateIdentity(t.Context(), alice, func(i *store.Identity) error {
				i.FullName += "+"
				linger()
				return nil
			})
		}))
	}
	require.Len(t, getIdentity(t, s, alice).FullName, start+writers*each, "updates were lost")
}
