package seal

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"fmt"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

const dataKeySize = 32

// nonce is the same for all secrets, because each data key seals only one.
var nonce [12]byte

// sealer seals and opens secrets.
type sealer struct {
	ring           KeyRing
	allowPlaintext bool // open secrets that are not sealed
	allowVersion1  bool
}

// seal returns the secret sealed for its record. It returns the zero Secret
// unchanged, so that the backend can reject it.
func (s sealer) seal(ctx context.Context, at recordID, secret store.Secret) (store.Secret, error) {
	if secret.IsZero() {
		return secret, nil
	}
	e, err := s.encrypt(ctx, at, secret.Reveal())
	if err != nil {
		return store.Secret{}, failure("seal", at, err)
	}
	return e.secret(), nil
}

func (s sealer) encrypt(ctx context.Context, at recordID, secret string) (e envelope, err error) {
	version := at.version()
	additional := at.additionalData(version)
	plain := make([]byte, 0, len(at.digest)+len(at.owned)+len(secret))
	if at.kind == store.TokenRecords {
		plain = append(plain, at.digest[:]...)
	}
	if version == version3 {
		plain = append(plain, at.owned[:]...)
	}
	plain = append(plain, secret...)
	defer clear(plain)
	key := make([]byte, dataKeySize)
	defer clear(key)
	rand.Read(key) // never fails
	gcm, err := newGCM(key)
	if err != nil {
		return envelope{}, err
	}
	keyID, wrapped, err := s.ring.Wrap(ctx, key, additional)
	switch {
	case err != nil:
		return envelope{}, err
	case keyID == "" || len(keyID) > maxKeyID || len(wrapped) > maxWrapped:
		return envelope{}, errors.New("the key ring returned a key id or wrapped key of a length that cannot be stored")
	}
	return envelope{version, keyID, string(wrapped), string(gcm.Seal(nil, nonce[:], plain, additional))}, nil
}

// open returns the secret that was sealed for the record.
func (s sealer) open(ctx context.Context, at recordID, sealed store.Secret) (store.Secret, error) {
	if sealed.IsZero() || s.allowPlaintext && !sealed.IsSealed() {
		return sealed, nil
	}
	secret, err := s.decrypt(ctx, at, sealed.Reveal())
	if err != nil {
		return store.Secret{}, failure("open", at, err)
	}
	return store.NewSecret(string(secret)), nil
}

func (s sealer) decrypt(ctx context.Context, at recordID, sealed string) ([]byte, error) {
	e, err := parseEnvelope(sealed)
	if err != nil {
		return nil, err
	}
	switch {
	case e.version == version1 && !s.allowVersion1:
		return nil, ErrOutdated
	case e.version != version3 && at.version() == version3, e.version == version3 && at.version() != version3:
		return nil, ErrAltered
	}
	additional := at.additionalData(e.version)
	key, err := s.ring.Unwrap(ctx, e.keyID, []byte(e.wrapped), additional)
	if err != nil {
		return nil, fmt.Errorf("unwrap with the key %q: %w", e.keyID, err)
	}
	defer clear(key)
	if len(key) != dataKeySize {
		return nil, ErrCannotOpen
	}
	gcm, err := newGCM(key)
	if err != nil {
		return nil, err
	}
	text := []byte(e.ciphertext)
	plain, err := gcm.Open(text[:0], nonce[:], text, additional)
	if err != nil {
		return nil, ErrCannotOpen
	}
	if e.version == version1 || at.kind != store.TokenRecords {
		return plain, nil
	}
	plain, err = cutDigest(plain, at.digest)
	if err == nil && e.version == version3 {
		plain, err = cutDigest(plain, at.owned)
	}
	return plain, err
}

// cutDigest removes the digest and compares it with expected, unless that is
// zero.
func cutDigest(plain []byte, expected digest) ([]byte, error) {
	var sealed digest
	if copy(sealed[:], plain) < len(sealed) {
		return nil, ErrCannotOpen
	}
	if !expected.isZero() && sealed != expected {
		return nil, ErrAltered
	}
	return plain[len(sealed):], nil
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("set up AES: %w", err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("set up GCM: %w", err)
	}
	return gcm, nil
}

func failure(verb string, at recordID, err error) error {
	return fmt.Errorf("%s the secret of %s: %w", verb, at, operational(err))
}
