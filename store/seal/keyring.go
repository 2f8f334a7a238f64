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

// KeyRing wraps data keys with keys that never leave it. One of them is the
// primary, which wraps; all unwrap. A cloud key management service fits, as does
// [StaticKeys]. It is safe for concurrent use, and keeps no slice that it gets.
//
// Whatever error it returns, callers of the store see an operational error. One
// that is about a single record wraps [ErrUnknownKey] or [ErrCannotOpen]; any
// other is taken for one of the ring, and fails a listing as a whole.
type KeyRing interface {
	// Wrap encrypts a data key of 32 bytes with the primary key, and
	// authenticates the additional data with it. It returns the id of the
	// primary key, of 1 to 255 bytes, and what Unwrap needs besides, at most
	// 65535 bytes. Both are stored with the record.
	Wrap(ctx context.Context, key, additional []byte) (keyID string, wrapped []byte, err error)

	// Unwrap returns the data key, in a slice that is the caller's, who overwrites
	// it after use. It fails if the ring has no key with that id,
	// and if wrapped or the additional data are not those of the Wrap.
	Unwrap(ctx context.Context, keyID string, wrapped, additional []byte) (key []byte, err error)
}

// Key is a key of [StaticKeys].
type Key struct {
	ID       string       // its name, of 1 to 255 bytes of printable text, not secret; never use one twice
	Material store.Secret // 32 bytes from a good source of randomness, such as crypto/rand
}

// StaticKeys is a [KeyRing] of keys in the memory of the process. It wraps with
// AES-256-GCM under a random nonce, so a key should be primary for fewer than
// 2^32 writes. Make one with [NewStaticKeys]; it does not change.
type StaticKeys struct {
	primary string
	ciphers map[string]cipher.AEAD
}

var _ KeyRing = (*StaticKeys)(nil)

// NewStaticKeys returns a ring that wraps with the primary key and unwraps with
// that and the others. The error is badData {key "id"} for a key without an id,
// with that of another, or with one that is not printable, and badData {key
// "material"} where it is not 32 bytes.
func NewStaticKeys(primary Key, others ...Key) (*StaticKeys, error) {
	s := &StaticKeys{primary.ID, make(map[string]cipher.AEAD)}
	for _, key := range append([]Key{primary}, others...) {
		if key.ID == "" || len(key.ID) > maxKeyID || s.ciphers[key.ID] != nil {
			return nil, errors.BadDataHint("id", "each key needs an id of its own, at most 255 bytes long")
		}
		if !utf8.ValidString(key.ID) || strings.ContainsFunc(key.ID, isInvisible) {
			return nil, errors.BadDataHint("id", "the id of a key is printable text without spaces; a file of keys must not begin with a byte order mark")
		}
		material := key.Material.Reveal()
		if len(material) != dataKeySize {
			return nil, errors.BadDataHint("material", "the material of a key is 32 random bytes")
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

// isInvisible reports whether two names that differ in the character alone look
// alike, as do those with a byte order mark and without.
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
