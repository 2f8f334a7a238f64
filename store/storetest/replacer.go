package storetest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

var replacerChecks = []check{
	{"the secret is replaced and the generation stays", replaceSecret},
	{"a secret other than the old one stays", replaceOnlyOld},
	{"only users and oneproviders with a secret are accepted", replaceRefused},
	{"of concurrent replacements one wins", replaceConcurrently},
	{"a concurrent rotation is not undone", replaceWhileRotating},
}

// requireReplaced replaces a secret and requires success.
func requireReplaced(t *testing.T, s store.Store, subject caveat.Subject, old, secret string) {
	t.Helper()
	replaced, err := s.ReplaceTemporarySecret(t.Context(), subject, store.NewSecret(old), store.NewSecret(secret))
	require.NoError(t, err)
	require.True(t, replaced, "the old secret was %q", old)
}

func replaceSecret(t *testing.T, open func() store.Store) {
	s := open()
	createIdentities(t, s, newUser("alice"))
	for _, text := range anyBytes {
		rotateTo(t, s, alice, text)
		before := temporaryKey(t, s, alice)
		requireReplaced(t, s, alice, text, text+" replaced")
		want := before
		want.Secret = store.NewSecret(text + " replaced")
		require.Equal(t, want, temporaryKey(t, s, alice))
	}
	rotateTo(t, s, alice, "last")
	require.EqualValues(t, len(anyBytes)+1, temporaryKey(t, s, alice).Generation)
	requireReplaced(t, s, alice, "last", "last")
	require.Equal(t, newUser("alice"), getIdentity(t, s, alice))
}

func replaceOnlyOld(t *testing.T, open func() store.Store) {
	s := open()
	rotateTo(t, s, alice, "first")
	rotateTo(t, s, alice, "Secret")
	rotateTo(t, s, provider, "of the provider")
	for _, c := range []struct {
		subject caveat.Subject
		old     string
	}{
		{alice, "first"}, {alice, "secret"}, {alice, "Secret "}, {alice, "Secret\x00"}, {alice, "Secre"}, {alice, ""},
		{alice, "of the provider"}, {provider, "Secret"}, {bob, "Secret"}, {bob, ""},
	} {
		replaced, err := s.ReplaceTemporarySecret(t.Context(), c.subject, store.NewSecret(c.old), store.NewSecret("new"))
		require.NoError(t, err, "%s %q", c.subject, c.old)
		require.False(t, replaced, "%s %q", c.subject, c.old)
	}
	require.Equal(t, temporaryOf(alice, "Secret", 2), temporaryKey(t, s, alice))
	require.Equal(t, temporaryOf(provider, "of the provider", 1), temporaryKey(t, s, provider))
	_, err := s.TemporaryKey(t.Context(), bob)
	requireID(t, err, errors.IDNotFound, "a key was made")

	require.NoError(t, s.DeleteTemporaryKey(t.Context(), alice))
	replaced, err := s.ReplaceTemporarySecret(t.Context(), alice, store.NewSecret("Secret"), store.NewSecret("new"))
	require.NoError(t, err)
	require.False(t, replaced, "of a key that was deleted")
}

func replaceRefused(t *testing.T, open func() store.Store) {
	s := open()
	ensure(t, s, alice, "kept")
	old, secret := store.NewSecret("kept"), store.NewSecret("new")
	for _, subject := range []caveat.Subject{caveat.Group("g"), caveat.Nobody(), {}, caveat.User(""), caveat.User("a\x00")} {
		_, err := s.ReplaceTemporarySecret(t.Context(), subject, old, secret)
		requireID(t, err, errors.IDBadData, "%q", subject)
	}
	_, err := s.ReplaceTemporarySecret(t.Context(), alice, old, store.Secret{})
	requireID(t, err, errors.IDBadData, "an empty secret")
	require.Equal(t, temporaryOf(alice, "kept", 1), temporaryKey(t, s, alice))
}

func replaceConcurrently(t *testing.T, open func() store.Store) {
	s := open()
	rotateTo(t, s, alice, "start")
	for round := range 20 {
		old := temporaryKey(t, s, alice).Secret
		const callers = 4
		replaced := make([]bool, callers)
		secret := func(i int) store.Secret { return store.NewSecret(fmt.Sprint("secret ", round, " ", i)) }
		requireAllNil(t, race(callers, func(i int) (err error) {
			replaced[i], err = s.ReplaceTemporarySecret(t.Context(), alice, old, secret(i))
			return err
		}))
		winners := 0
		for i, won := range replaced {
			if won {
				winners++
				require.True(t, secret(i).Equal(temporaryKey(t, s, alice).Secret), "the secret is not that of the winner")
			}
		}
		require.Equal(t, 1, winners, "so many replaced the same secret")
	}
}

func replaceWhileRotating(t *testing.T, open func() store.Store) {
	s := open()
	rotateTo(t, s, alice, "start")
	for round := range 20 {
		before := temporaryKey(t, s, alice)
		rotated := store.NewSecret(fmt.Sprint("rotated ", round))
		requireAllNil(t, race(3, func(i int) (err error) {
			if i == 0 {
				_, err = s.RotateTemporaryKey(t.Context(), alice, rotated)
			} else {
				_, err = s.ReplaceTemporarySecret(t.Context(), alice, before.Secret, store.NewSecret(fmt.Sprint("replaced ", i)))
			}
			return err
		}))
		require.Equal(t, temporaryOf(alice, rotated.Reveal(), before.Generation+1), temporaryKey(t, s, alice))
	}
}
