package seal_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/seal"
)

// withSecret returns the record with the given secret.
func withSecret(r store.Record, secret store.Secret) store.Record {
	switch {
	case r.Identity != nil:
		i := *r.Identity
		i.Password = secret
		return store.Record{Identity: &i}
	case r.Temporary != nil:
		temporary := *r.Temporary
		temporary.Secret = secret
		return store.Record{Temporary: &temporary}
	}
	record := *r.Token
	record.Secret = secret
	return store.Record{Token: &record}
}

// readSecret reads the secret of the only record in the store.
func readSecret(t *testing.T, s store.Store, r store.Record) (secret store.Secret, err error) {
	t.Helper()
	switch {
	case r.Identity != nil:
		i, err := s.GetIdentity(t.Context(), r.Identity.Subject)
		return i.Password, err
	case r.Temporary != nil:
		key, err := s.TemporaryKey(t.Context(), r.Temporary.Subject)
		return key.Secret, err
	}
	key, err := s.NamedKey(t.Context(), r.Token.ID)
	return key.Secret, err
}

func TestSealedSecretsOpenOnlyInTheirRecord(t *testing.T) {
	t.Parallel()
	// Ids and subjects that would be equal if they were just concatenated.
	var records []store.Record
	for _, subject := range []caveat.Subject{alice, caveat.Provider("alice"), caveat.User("aalice"), caveat.User("lice")} {
		i := store.Identity{Subject: subject}
		records = append(records, store.Record{Identity: &i}, store.Record{Temporary: &store.Temporary{Subject: subject, Generation: 1}})
		for _, id := range []string{"a", "b", "ba", "alice"} {
			named := token(id, subject, "")
			records = append(records, store.Record{Token: &named})
		}
	}
	keys := ring(t, key1)
	secrets := make([]store.Secret, len(records))
	for i, r := range records {
		backend := memory.New()
		imported := withSecret(r, store.NewSecret("plain"))
		require.NoError(t, sealed(t, backend, keys).Import(t.Context(), []store.Record{imported}))
		var err error
		secrets[i], err = readSecret(t, backend, r)
		require.NoError(t, err)
	}
	for i, r := range records {
		for j, secret := range secrets {
			backend := memory.New()
			s := sealed(t, backend, keys)
			require.NoError(t, backend.Import(t.Context(), []store.Record{withSecret(r, secret)}))
			opened, err := readSecret(t, s, r)
			if i == j {
				require.NoError(t, err)
				require.Equal(t, "plain", opened.Reveal())
			} else {
				requireOperational(t, err, seal.ErrCannotOpen, "the secret of record %d in record %d", j, i)
				require.True(t, opened.IsZero())
			}
		}
	}
}
