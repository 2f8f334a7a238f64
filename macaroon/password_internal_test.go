package macaroon

import (
	"crypto/pbkdf2"
	"crypto/sha512"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

// The time of a failed log-in does not reveal whether the user exists, nor
// whether its hash has the old form, which is a hundred times cheaper.
func TestRefusedLogInsCostTheSame(t *testing.T) {
	s := memory.New()
	a, err := NewAuthority(s, WithThrottle(0, 0))
	require.NoError(t, err)
	_, err = a.CreateUser(t.Context(), NewUser{Username: "new", Password: "correct horse"})
	require.NoError(t, err)
	salt := strings.Repeat("s", passwordSaltSize)
	weak, err := pbkdf2.Key(sha512.New, "correct horse", []byte(salt), legacyIterations, passwordHashSize)
	require.NoError(t, err)
	require.NoError(t, s.CreateIdentity(t.Context(), store.Identity{
		Subject: caveat.User("old"), Username: "old", Password: store.NewSecret(salt + "." + string(weak)),
	}))
	least := map[string]time.Duration{"new": time.Hour, "old": time.Hour, "nobody": time.Hour}
	alike := func() bool {
		return 3*min(least["new"], least["old"], least["nobody"]) > max(least["new"], least["old"], least["nobody"])
	}
	// Other load on the machine can only make a log-in slower.
	for tries := 0; tries < 3 || tries < 20 && !alike(); tries++ {
		for name := range least {
			start := time.Now()
			_, err := a.LogIn(t.Context(), name, "wrong horse")
			least[name] = min(least[name], time.Since(start))
			require.ErrorIs(t, err, errors.IDBadBasicCredentials)
		}
	}
	assert.True(t, alike(), "%v", least)
}

// A failed log-in makes the same number of iterations for every user and state.
// Only the right password makes a difference.
func TestRefusedLogInsDoTheSameWork(t *testing.T) {
	t.Parallel()
	s := memory.New()
	// With this profile, passwords with capitals have two forms.
	a, err := NewAuthority(s, WithThrottle(0, 0), WithPasswordProfile(func(p string) (string, error) { return strings.ToLower(p), nil }))
	require.NoError(t, err)
	weak := passwordHash{iterations: legacyIterations, salt: make([]byte, passwordSaltSize)}
	weak.hash, err = weak.derive("correct horse")
	require.NoError(t, err)
	blockedWeak := store.Identity{Password: store.NewSecret(string(weak.salt) + "." + string(weak.hash)), Blocked: true}
	iterations := 0
	a.passwords.derive = func(h passwordHash, password string) ([]byte, error) {
		iterations += h.iterations
		h.iterations = min(h.iterations, legacyIterations) // quickly
		return h.derive(password)
	}
	strong, err := a.hash(t.Context(), "correct horse")
	require.NoError(t, err)
	users := map[string]store.Identity{
		"known": {Password: strong}, "weak": {Password: blockedWeak.Password}, "blocked": {Password: strong, Blocked: true},
		"blocked and weak": blockedWeak, "no password": {}, "blocked without a password": {Blocked: true},
	}
	for name, i := range users {
		i.Subject, i.Username = caveat.User(name), name
		require.NoError(t, s.CreateIdentity(t.Context(), i))
	}
	users["unknown"] = store.Identity{}
	for name := range users {
		for password, want := range map[string]int{
			"wrong horse": defaultPasswordIterations, "": defaultPasswordIterations, "Wrong Horse": 2 * defaultPasswordIterations,
		} {
			iterations = 0
			_, err := a.LogIn(t.Context(), name, password)
			require.ErrorIs(t, err, errors.IDBadBasicCredentials, "%s: %q", name, password)
			assert.Equal(t, want, iterations, "%s: %q", name, password)
		}
	}
	for _, name := range []string{"blocked", "blocked and weak"} {
		_, err := a.LogIn(t.Context(), name, "correct horse")
		require.ErrorIs(t, err, errors.IDUserBlocked)
	}
}
