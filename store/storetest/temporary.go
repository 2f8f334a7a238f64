package storetest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

var temporaryChecks = []check{
	{"ensure creates a key once", ensureOnce},
	{"concurrent ensure yields one key", ensureConcurrently},
	{"a look-up never writes", lookUpWritesNothing},
	{"rotate replaces the secret and increments the generation", rotate},
	{"concurrent rotate gives each a generation", rotateConcurrently},
	{"delete removes secret and generation", deleteTemporary},
	{"subjects are kept apart", temporarySubjectsApart},
	{"only users and oneproviders with a secret are accepted", temporaryRefused},
	{"the secret outlives the identity", temporaryOutlivesIdentity},
}

func ensure(t *testing.T, s store.Store, subject caveat.Subject, secret string) store.Key {
	t.Helper()
	key, err := s.EnsureTemporaryKey(t.Context(), subject, store.NewSecret(secret))
	require.NoError(t, err)
	return key
}

func rotateTo(t *testing.T, s store.Store, subject caveat.Subject, secret string) int64 {
	t.Helper()
	generation, err := s.RotateTemporaryKey(t.Context(), subject, store.NewSecret(secret))
	require.NoError(t, err)
	return generation
}

// temporaryOf returns the temporary key of a subject without an identity.
func temporaryOf(subject caveat.Subject, secret string, generation int64) store.Key {
	return store.Key{
		Secret:     store.NewSecret(secret),
		Subject:    subject,
		Generation: generation,
		Holder:     store.HolderMissing,
	}
}

func ensureOnce(t *testing.T, open func() store.Store) {
	s := open()
	for _, subject := range subjects {
		want := temporaryOf(subject, "first", 1)
		require.Equal(t, want, ensure(t, s, subject, "first"))
		require.Equal(t, want, temporaryKey(t, s, subject))
		require.Equal(t, want, ensure(t, s, subject, "second"), "ensure replaced the key that was there")
		require.Equal(t, want, temporaryKey(t, s, subject), "ensure replaced the key that was there")
	}
}

func ensureConcurrently(t *testing.T, open func() store.Store) {
	s := open()
	for round := range 20 {
		subject := caveat.User(fmt.Sprint("user", round))
		const callers = 10
		keys := make([]store.Key, callers)
		requireAllNil(t, race(callers, func(i int) (err error) {
			keys[i], err = s.EnsureTemporaryKey(t.Context(), subject, store.NewSecret(fmt.Sprint("secret", i)))
			return err
		}))
		want := temporaryKey(t, s, subject)
		require.EqualValues(t, 1, want.Generation)
		for i := range keys {
			require.Equal(t, want, keys[i], "caller %d got a key that is not kept", i)
		}
	}
}

func lookUpWritesNothing(t *testing.T, open func() store.Store) {
	s := open()
	for _, subject := range append([]caveat.Subject{caveat.Nobody(), {}, caveat.Group("g"), caveat.User("")}, subjects...) {
		for range 3 {
			_, err := s.TemporaryKey(t.Context(), subject)
			requireID(t, err, errors.IDNotFound, "subject %s", subject)
		}
	}
	require.EqualValues(t, 1, rotateTo(t, s, alice, "first"))
}

func rotate(t *testing.T, open func() store.Store) {
	s := open()
	require.EqualValues(t, 1, rotateTo(t, s, alice, "first"), "where there was none")
	require.Equal(t, temporaryOf(alice, "first", 1), temporaryKey(t, s, alice))
	for generation := int64(2); generation < 6; generation++ {
		secret := fmt.Sprint("secret", generation)
		require.Equal(t, generation, rotateTo(t, s, alice, secret))
		require.Equal(t, temporaryOf(alice, secret, generation), temporaryKey(t, s, alice))
	}
	require.Equal(t, temporaryOf(alice, "secret5", 5), ensure(t, s, alice, "other"))

	ensure(t, s, bob, "first")
	require.EqualValues(t, 2, rotateTo(t, s, bob, "first"), "the same secret again is a rotation")
}

func rotateConcurrently(t *testing.T, open func() store.Store) {
	s := open()
	const callers, each = 10, 5
	all := make(map[int64]string)
	for n := range each {
		generations := make([]int64, callers)
		secret := func(i int) string { return fmt.Sprint("secret ", i, " ", n) }
		requireAllNil(t, race(callers, func(i int) (err error) {
			generations[i], err = s.RotateTemporaryKey(t.Context(), alice, store.NewSecret(secret(i)))
			return err
		}))
		for i, generation := range generations {
			require.NotContains(t, all, generation, "two rotations got the generation %d", generation)
			all[generation] = secret(i)
		}
	}
	require.Len(t, all, callers*each)
	key := temporaryKey(t, s, alice)
	require.EqualValues(t, callers*each, key.Generation)
	require.Equal(t, all[key.Generation], key.Secret.Reveal(), "the secret is not that of the last generation")
}

func deleteTemporary(t *testing.T, open func() store.Store) {
	s := open()
	require.NoError(t, s.DeleteTemporaryKey(t.Context(), alice), "there is none")
	for _, subject := range []caveat.Subject{caveat.Group("g"), caveat.Nobody(), {}} {
		require.NoError(t, s.DeleteTemporaryKey(t.Context(), subject), "there is none of %s", subject)
	}
	rotateTo(t, s, alice, "first")
	rotateTo(t, s, alice, "second")
	rotateTo(t, s, bob, "of bob")
	require.NoError(t, s.DeleteTemporaryKey(t.Context(), alice))
	_, err := s.TemporaryKey(t.Context(), alice)
	requireID(t, err, errors.IDNotFound)
	require.Equal(t, temporaryOf(bob, "of bob", 1), temporaryKey(t, s, bob))
	require.NoError(t, s.DeleteTemporaryKey(t.Context(), alice), "there is none any more")

	require.Equal(t, temporaryOf(alice, "third", 1), ensure(t, s, alice, "third"))
	require.NoError(t, s.DeleteTemporaryKey(t.Context(), alice))
	require.EqualValues(t, 1, rotateTo(t, s, alice, "fourth"))
}

func temporarySubjectsApart(t *testing.T, open func() store.Store) {
	s := open()
	rotateTo(t, s, alice, "of the user")
	_, err := s.TemporaryKey(t.Context(), provider)
	requireID(t, err, errors.IDNotFound)
	ensure(t, s, provider, "of the provider")
	require.EqualValues(t, 2, rotateTo(t, s, alice, "of the user again"))
	ensure(t, s, caveat.User("Alice"), "of another user")

	require.Equal(t, temporaryOf(alice, "of the user again", 2), temporaryKey(t, s, alice))
	require.Equal(t, temporaryOf(provider, "of the provider", 1), temporaryKey(t, s, provider))
	require.NoError(t, s.DeleteTemporaryKey(t.Context(), alice))
	require.Equal(t, temporaryOf(provider, "of the provider", 1), temporaryKey(t, s, provider))
	require.Equal(t, temporaryOf(caveat.User("Alice"), "of another user", 1), temporaryKey(t, s, caveat.User("Alice")))
}

func temporaryRefused(t *testing.T, open func() store.Store) {
	s := open()
	secret := store.NewSecret("secret")
	ensure(t, s, alice, "kept")
	for _, c := range []struct {
		what    string
		subject caveat.Subject
		secret  store.Secret
	}{
		{"a group", caveat.Group("g"), secret},
		{"nobody", caveat.Nobody(), secret},
		{"no subject", caveat.Subject{}, secret},
		{"an unknown type of subject", caveat.Subject{Type: 99, ID: "x"}, secret},
		{"a user without an id", caveat.User(""), secret},
		{"a provider without an id", caveat.Provider(""), secret},
		{"an empty secret", bob, store.Secret{}},
		{"an empty secret where one exists", alice, store.NewSecret("")},
	} {
		_, err := s.EnsureTemporaryKey(t.Context(), c.subject, c.secret)
		requireID(t, err, errors.IDBadData, "ensure: %s", c.what)
		_, err = s.RotateTemporaryKey(t.Context(), c.subject, c.secret)
		requireID(t, err, errors.IDBadData, "rotate: %s", c.what)
		if c.subject != alice {
			_, err = s.TemporaryKey(t.Context(), c.subject)
			requireID(t, err, errors.IDNotFound, "%s", c.what)
		}
	}
	require.Equal(t, temporaryOf(alice, "kept", 1), temporaryKey(t, s, alice))
}

func temporaryOutlivesIdentity(t *testing.T, open func() store.Store) {
	s := open()
	createIdentities(t, s, newIdentity(alice))
	rotateTo(t, s, alice, "first")
	rotateTo(t, s, alice, "second")
	updateIdentity(t, s, alice, func(i *store.Identity) { i.FullName = "Another" })
	require.EqualValues(t, 2, temporaryKey(t, s, alice).Generation)
	require.NoError(t, s.DeleteIdentity(t.Context(), alice))
	require.Equal(t, temporaryOf(alice, "second", 2), temporaryKey(t, s, alice))
	createIdentities(t, s, newIdentity(alice))
	require.EqualValues(t, 3, rotateTo(t, s, alice, "third"))

	require.NoError(t, s.DeleteTemporaryKey(t.Context(), alice))
	require.Equal(t, newIdentity(alice), getIdentity(t, s, alice), "deleting the key is not deleting the identity")
}
