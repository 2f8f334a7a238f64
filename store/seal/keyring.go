package seal

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// KeyRing encrypts data keys with keys that it does not reveal.
//
// The primary key wraps; all keys unwrap. Use [StaticKeys] or a cloud key
// management service. A KeyRing must be safe for concurrent use and must not
// keep the slices that it receives.
//
// Callers of the store see every error as an operational error. An error about
// a single record wraps [ErrUnknownKey] or [ErrCannotOpen]. Any other error is
// treated as an error of the ring and fails a whole listing.
type KeyRing interface {
	// Wrap encrypts a data key of 32 bytes with the primary key and
	// authenticates the additional data. It returns the id of the primary key,
	// of 1 to 255 bytes, and the input of Unwrap, at most 65535 bytes. Both are
	// stored with the record.
	Wrap(ctx context.Context, key, additional []byte) (keyID string, wrapped []byte, err error)

	// Unwrap returns the data key in a slice that the caller owns and
	// overwrites after use. It fails if the ring has no key with that id, or if
	// wrapped or the additional data do not belong to a call of Wrap.
	Unwrap(ctx context.Context, keyID string, wrapped, additional []byte) (key []byte, err error)
}

// Key is a key of [StaticKeys].
type Key struct {
	ID       string       // 1 to 255 bytes of printable text, not secret; never use an id twice
	Material store.Secret // 32 bytes from a good source of randomness, such as crypto/rand
}

// StaticKeys is an immutable [KeyRing] with keys in the memory of the process.
//
// It wraps with AES-256-GCM and a random nonce, so a key should be primary for
// fewer than 2^32 writes. Use [NewStaticKeys] to create one.
type StaticKeys struct {
	primary string
	ciphers map[string]cipher.AEAD
}

var _ KeyRing = (*StaticKeys)(nil)

// NewStaticKeys returns a ring that wraps with primary and unwraps with all
// keys.
//
// Errors:
//   - badData {key "id"}: a key has no id, the id of another key, or an id that
//     is not printable
//   - badData {key "material"}: the material is not 32 bytes long
func NewStaticKeys(primary Key, others ...Key) (*StaticKeys, error) {
	s := &StaticKeys{primary.ID, make(map[string]cipher.AEAD)}
	for _, key := range append([]Key{primary}, others...) {
		if key.ID == "" || len(key.ID) > maxKeyID || s.ciphers[key.ID] != nil {
			return nil, errors.BadDataHint("id", "each key needs a unique id of at most 255 bytes")
		}
		if !utf8.ValidString(key.ID) || strings.ContainsFunc(key.ID, isInvisible) {
			return nil, errors.BadDataHint("id", "the id of a key must be printable text without spaces; a file of keys must not begin with a byte order mark")
		}
		material := key.Material.Reveal()
		if len(material) != dataKeySize {
			return nil, errors.BadDataHint("material", "the material of a key must be 32 random bytes")
		}
		block, err := aes.NewCipher([]byte(material))
		if err != nil {
			return nil, fmt.Errorf("set up AES: %w", err)
		}
		if s.ciphers[key.ID], err = cipher.NewGCMWithRandomNonce(block); err != nil {
			return nil, fmt.Errorf("set up GCM: %w", err)
		}
	}
	return s, nil
}

// isInvisible reports whether the character cannot be seen in an id, such as a
// byte order mark.
func isInvisible(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) }

// Wrap implements [KeyRing].
func (s *StaticKeys) Wrap(_ context.Context, key, additional []byte) (keyID string, wrapped []byte, err error) {
	return s.primary, s.ciphers[s.primary].Seal(nil, nil, key, additional), nil
}

// Unwrap implements [KeyRing]. The error is [ErrUnknownKey] or [ErrCannotOpen].
func (s *StaticKeys) Unwrap(_ context.Context, keyID string, wrapped, additional []byte) ([]byte, error) {
	gcm := s.ciphers[keyID]
	if gcm == nil {
		return nil, ErrUnknownKey
	}
	key, err := gcm.Open(nil, nil, wrapped, additional)
	if err != nil {
		return nil, ErrCannotOpen
	}
	return key, nil
}
