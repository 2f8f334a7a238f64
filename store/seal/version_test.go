package seal_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/seal"
	"github.com/onezone-go/onezone/store/transfer"
)

// version1 seals a secret like the first releases, without the digest of the
// record.
func version1(t testing.TB, keys seal.KeyRing, kind store.RecordKind, id string, subject caveat.Subject, secret string) []byte {
	t.Helper()
	additional := []byte{byte(kind), byte(subject.Type)}
	additional = binary.BigEndian.AppendUint32(additional, uint32(len(id)))
	additional = append(append(additional, id...), subject.ID...)
	key := make([]byte, 32)
	rand.Read(key)
	keyID, wrapped, err := keys.Wrap(t.Context(), key, additional)
	require.NoError(t, err)
	block, err := aes.NewCipher(key)
	require.NoError(t, err)
	gcm, err := cipher.NewGCM(block)
	require.NoError(t, err)
	sealed := append([]byte("\x00ozseal\x01"), byte(len(keyID)))
	sealed = append(sealed, keyID...)
	sealed = binary.BigEndian.AppendUint16(sealed, uint16(len(wrapped)))
	return gcm.Seal(append(sealed, wrapped...), make([]byte, 12), []byte(secret), additional)
}

// fillVersion1 writes the records of fill, sealed like the first releases.
func fillVersion1(t testing.TB, backend store.Store, keys seal.KeyRing) {
	t.Helper()
	secret := func(kind store.RecordKind, id, secret string) store.Secret {
		return store.NewSecret(string(version1(t, keys, kind, id, alice, secret)))
	}
	i := identity(alice, "-")
	i.Password = secret(store.IdentityRecords, "", "plain 1")
	require.NoError(t, backend.CreateIdentity(t.Context(), i))
	_, err := backend.EnsureTemporaryKey(t.Context(), alice, secret(store.TemporaryRecords, "", "plain 2"))
	require.NoError(t, err)
	named := token("a", alice, "-")
	named.Secret = secret(store.TokenRecords, "a", "plain 3")
	require.NoError(t, second(backend.CreateToken(t.Context(), named, 0)))
}

// TestOldEnvelopesOpenUntilACompleteReseal follows a store through its upgrade.
func TestOldEnvelopesOpenUntilACompleteReseal(t *testing.T) {
	t.Parallel()
	backend := memory.New()
	keys := ring(t, key1)
	fillVersion1(t, backend, keys)
	s, other := sealed(t, backend, keys, seal.Options{AllowOutdated: true}), sealed(t, backend, keys, seal.Options{AllowOutdated: true})
	requireFilled(t, s)
	require.NoError(t, s.UpdateToken(t.Context(), "a", func(t *store.Token) error { t.Revoked = true; return nil }))
	requireFilled(t, sealed(t, backend, keys, seal.Options{AllowOutdated: true}))

	old := memory.New()
	fillVersion1(t, old, keys)
	done, err := s.Reseal(t.Context(), seal.ResealOptions{})
	require.NoError(t, err)
	require.EqualValues(t, 3, done.Resealed, "also secrets under the primary key")
	requireFilled(t, s)
	_, err = transfer.Copy(t.Context(), backend, old, transfer.Options{})
	require.NoError(t, err)
	for name, read := range reads(s) {
		requireOperational(t, read(t.Context()), seal.ErrOutdated, name)
	}
	for name, read := range reads(sealed(t, backend, keys, seal.Options{AllowOutdated: true})) {
		requireOperational(t, read(t.Context()), seal.ErrOutdated, "opened later: "+name)
	}
	// A process that was already running notices it before it issues a token.
	_, err = other.GetToken(t.Context(), "a")
	requireOperational(t, err, seal.ErrOutdated)
	_, err = other.NamedKey(t.Context(), "a")
	requireOperational(t, err, seal.ErrOutdated)

	_, err = s.Reseal(t.Context(), seal.ResealOptions{})
	requireOperational(t, err, seal.ErrOutdated, "resealing must not make old secrets valid")
	_, err = s.Reseal(t.Context(), seal.ResealOptions{SealPlaintext: true})
	require.NoError(t, err)
	requireFilled(t, s)
}

// TestAnInterruptedResealIsNotComplete keeps old envelopes open.
func TestAnInterruptedResealIsNotComplete(t *testing.T) {
	t.Parallel()
	backend := newHooked()
	fillVersion1(t, backend.Store, ring(t, key1))
	s := sealed(t, backend, &openingRing{KeyRing: ring(t, key2, key1), allowed: 2}, seal.Options{AllowOutdated: true})
	_, err := s.Reseal(t.Context(), seal.ResealOptions{})
	requireOperational(t, err, errLost)
	requireFilled(t, s)
	requireFilled(t, sealed(t, backend, ring(t, key1, key2), seal.Options{AllowOutdated: true}))

	// Records before the position of an earlier call are checked again.
	s = sealed(t, backend, ring(t, key2, key1), seal.Options{AllowOutdated: true})
	done, err := s.Reseal(t.Context(), seal.ResealOptions{From: transfer.Position{Kind: store.TokenRecords}})
	require.NoError(t, err)
	require.EqualValues(t, 3, done.Resealed)
	requireFilled(t, sealed(t, backend, ring(t, key2)))
}

// TestTheVersionOfAnEnvelopeCannotBeChanged tries to use the digest as the
// secret.
func TestTheVersionOfAnEnvelopeCannotBeChanged(t *testing.T) {
	t.Parallel()
	backend := memory.New()
	fillVersion1(t, backend, ring(t, key1)) // which has old envelopes open
	s := sealed(t, backend, ring(t, key1), seal.Options{AllowOutdated: true})
	require.NoError(t, s.UpdateToken(t.Context(), "a", func(t *store.Token) error {
		t.Secret = store.NewSecret("plain new")
		return nil
	}))
	envelope := []byte(secretsOf(t, backend)[store.TokenRecords][0])
	require.EqualValues(t, 2, envelope[7])
	envelope[7] = 1
	plant(t, backend, string(envelope))
	_, err := s.NamedKey(t.Context(), "a")
	requireOperational(t, err, seal.ErrCannotOpen)
	plant(t, backend, string(version1(t, ring(t, key1), store.TokenRecords, "a", alice, "plain old")))
	key, err := s.NamedKey(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, "plain old", key.Secret.Reveal())
	envelope = version1(t, ring(t, key1), store.TokenRecords, "a", alice, "a digest of 32 bytes and a secret")
	envelope[7] = 2
	plant(t, backend, string(envelope))
	_, err = s.NamedKey(t.Context(), "a")
	requireOperational(t, err, seal.ErrCannotOpen)
}
