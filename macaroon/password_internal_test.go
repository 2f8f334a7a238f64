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

// How long a refusal takes does not tell whether there is such a user, nor
// whether its hash is one of old, which costs a hundredth.
func TestRefusedLogInsCostTheSame(t *testing.T) {
	s := memory.New()
	a, err := NewAuthority(s)
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
	// What else goes on in the machine only ever adds to the time of a log-in.
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
