package discharge

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/internal/wire"
	"github.com/onezone-go/onezone/store"
)

// keySize is the size of a Curve25519 key, in bytes.
const keySize = 32

// PrivateKey is the key pair of a discharger. It opens the identifiers of
// caveats that were made with its [PublicKey]. It is an immutable value; the
// zero PrivateKey is invalid and opens nothing.
//
// It prints as [redacted] with every fmt verb, in JSON, as text and in slog.
// Only [PrivateKey.Reveal] returns the key.
type PrivateKey struct {
	text   store.Secret // in base64
	public PublicKey
}

// NewKey returns a new random private key.
func NewKey() PrivateKey {
	var raw [keySize]byte
	_, _ = rand.Read(raw[:]) // never fails: see crypto/rand
	key, err := newPrivateKey(raw[:])
	if err != nil {
		panic(err) // every 32 bytes are a key
	}
	return key
}

// ParsePrivateKey parses the text of a private key: 32 bytes in base64, as
// [PrivateKey.Reveal] and macaroon-bakery print them. The error is badData {key
// "privateKey"}.
func ParsePrivateKey(text string) (PrivateKey, error) {
	raw, ok := wire.DecodePlain(text)
	if !ok || len(raw) != keySize {
		return PrivateKey{}, errors.BadDataHint("privateKey", "it must be 32 bytes in base64")
	}
	return newPrivateKey([]byte(raw))
}

func newPrivateKey(raw []byte) (PrivateKey, error) {
	key, err := ecdh.X25519().NewPrivateKey(raw)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("deriving a public key: %w", err)
	}
	return PrivateKey{
		text:   store.NewSecret(base64.StdEncoding.EncodeToString(raw)),
		public: PublicKey{[keySize]byte(key.PublicKey().Bytes())},
	}, nil
}

// Public returns the public key, which a service needs to add caveats. It is
// the zero PublicKey for the zero PrivateKey.
func (k PrivateKey) Public() PublicKey { return k.public }

// Reveal returns the text of the private key, in base64; "" for the zero
// PrivateKey. Anyone who knows it can discharge every caveat of its public key.
func (k PrivateKey) Reveal() string { return k.text.Reveal() }

// IsZero reports whether this is the zero PrivateKey.
func (k PrivateKey) IsZero() bool { return k.text.IsZero() }

// Format prints "[redacted]" for every verb and flag.
func (k PrivateKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.text.String()) }

// MarshalText returns "[redacted]".
func (k PrivateKey) MarshalText() ([]byte, error) { return k.text.MarshalText() }

// bytes returns the key for package box, nil for the zero PrivateKey.
func (k PrivateKey) bytes() *[keySize]byte {
	raw, err := base64.StdEncoding.DecodeString(k.Reveal())
	if err != nil || len(raw) != keySize {
		return nil
	}
	return (*[keySize]byte)(raw)
}

// PublicKey is the public key of a discharger. It is comparable; the zero
// PublicKey is invalid.
type PublicKey struct {
	raw [keySize]byte
}

// ParsePublicKey parses the text of a public key: 32 bytes in base64. The error
// is badData {key "publicKey"}, also for a key with which everyone could read
// the conditions.
func ParsePublicKey(text string) (PublicKey, error) {
	raw, ok := wire.DecodePlain(text)
	if !ok || len(raw) != keySize {
		return PublicKey{}, errors.BadDataHint("publicKey", "it must be 32 bytes in base64")
	}
	key := PublicKey{[keySize]byte([]byte(raw))}
	if !key.isUsable() {
		return PublicKey{}, errors.BadDataHint("publicKey", "it is a point of low order, with which everyone could read the conditions")
	}
	return key, nil
}

// isUsable reports whether the key is not a point of low order. With those, the
// shared key of every private key is the same.
func (k PublicKey) isUsable() bool {
	point, err := ecdh.X25519().NewPublicKey(k.raw[:])
	if err != nil {
		return false
	}
	probe, err := ecdh.X25519().NewPrivateKey(make([]byte, keySize))
	if err != nil {
		return false
	}
	_, err = probe.ECDH(point)
	return err == nil
}

// IsZero reports whether this is the zero PublicKey.
func (k PublicKey) IsZero() bool { return k == PublicKey{} }

// String returns the text of the key, in base64.
func (k PublicKey) String() string { return base64.StdEncoding.EncodeToString(k.raw[:]) }

// MarshalText returns the text of the key. The error is badValueEmpty {key
// "publicKey"} for the zero PublicKey.
func (k PublicKey) MarshalText() ([]byte, error) {
	if k.IsZero() {
		return nil, errors.BadValueEmpty("publicKey")
	}
	return []byte(k.String()), nil
}

// UnmarshalText is [ParsePublicKey] for package encoding/json.
func (k *PublicKey) UnmarshalText(text []byte) (err error) {
	*k, err = ParsePublicKey(string(text))
	return err
}
