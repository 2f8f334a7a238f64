package seal

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// Why a secret cannot be read. Errors of the store wrap them, or what the
// [KeyRing] returned.
var (
	ErrUnknownKey = errors.New("the key that the secret is sealed under is not in the ring")
	ErrCannotOpen = errors.New("the sealed secret does not open: it is damaged, belongs to another record, or the key is another")
	ErrNotSealed  = errors.New("the secret is not sealed")
)

const (
	dataKeySize = 32
	maxKeyID    = 255
	maxWrapped  = 65535
)

// magic begins every sealed secret. Onezone's secrets are printable or start
// with the random bytes of a salt; one that began like this by chance would be
// refused.
const magic = "\x00ozseal\x01"

// nonce is the same for all secrets, since a data key seals only one.
var nonce [12]byte

// envelope is a sealed secret, taken apart:
//
//	magic | length of key id, 1 byte | key id |
//	length of wrapped key, 2 bytes, big endian | wrapped key | ciphertext and tag
type envelope struct {
	keyID, wrapped, ciphertext string
}

func (e envelope) secret() store.Secret {
	b := make([]byte, 0, len(magic)+1+len(e.keyID)+2+len(e.wrapped)+len(e.ciphertext))
	b = append(b, magic...)
	b = append(b, byte(len(e.keyID)))
	b = append(b, e.keyID...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(e.wrapped)))
	b = append(b, e.wrapped...)
	b = append(b, e.ciphertext...)
	return store.NewSecret(string(b))
}

func isSealed(secret store.Secret) bool { return strings.HasPrefix(secret.Reveal(), magic) }

func parseEnvelope(text string) (e envelope, err error) {
	rest, sealed := strings.CutPrefix(text, magic)
	if !sealed {
		return envelope{}, ErrNotSealed
	}
	var ok1, ok2 bool
	e.keyID, rest, ok1 = cutField(rest, 1)
	e.wrapped, e.ciphertext, ok2 = cutField(rest, 2)
	if !ok1 || !ok2 {
		return envelope{}, ErrCannotOpen
	}
	return e, nil
}

// cutField cuts off a field after its length, which is a big endian number of
// so many bytes.
func cutField(text string, digits int) (field, rest string, ok bool) {
	if len(text) < digits {
		return "", "", false
	}
	size := 0
	for i := range digits {
		size = size<<8 | int(text[i])
	}
	text = text[digits:]
	if len(text) < size {
		return "", "", false
	}
	return text[:size], text[size:], true
}

// place is the record that a secret belongs to.
type place struct {
	kind    store.RecordKind
	id      string // of a token
	subject caveat.Subject
}

func placeOfToken(id string, subject caveat.Subject) place {
	return place{store.TokenRecords, id, subject}
}

func placeOfTemporary(subject caveat.Subject) place {
	return place{kind: store.TemporaryRecords, subject: subject}
}

func placeOfIdentity(subject caveat.Subject) place {
	return place{kind: store.IdentityRecords, subject: subject}
}

// additional is what no two places have in common.
func (p place) additional() []byte {
	b := make([]byte, 0, 64)
	b = append(b, byte(p.kind), byte(p.subject.Type))
	b = binary.BigEndian.AppendUint32(b, uint32(len(p.id)))
	b = append(b, p.id...)
	return append(b, p.subject.ID...)
}

func (p place) String() string {
	switch p.kind {
	case store.IdentityRecords:
		return fmt.Sprintf("the identity %q", p.subject)
	case store.TemporaryRecords:
		return fmt.Sprintf("the temporary tokens of %q", p.subject)
	}
	return fmt.Sprintf("the named token %q", p.id)
}

// sealer turns secrets into sealed ones and back.
type sealer struct {
	ring           KeyRing
	allowPlaintext bool
}

// seal returns the secret sealed for its place. The zero Secret, which is none,
// stays what it is, so that a backend sees where one is missing.
func (s sealer) seal(ctx context.Context, at place, secret store.Secret) (store.Secret, error) {
	if secret.IsZero() {
		return secret, nil
	}
	e, err := s.encrypt(ctx, at.additional(), []byte(secret.Reveal()))
	if err != nil {
		return store.Secret{}, failure("seal", at, err)
	}
	return e.secret(), nil
}

func (s sealer) encrypt(ctx context.Context, additional, secret []byte) (e envelope, err error) {
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
	return envelope{keyID, string(wrapped), string(gcm.Seal(nil, nonce[:], secret, additional))}, nil
}

// open returns the secret that was sealed for the place.
func (s sealer) open(ctx context.Context, at place, sealed store.Secret) (store.Secret, error) {
	if sealed.IsZero() || s.allowPlaintext && !isSealed(sealed) {
		return sealed, nil
	}
	secret, err := s.decrypt(ctx, at.additional(), sealed.Reveal())
	if err != nil {
		return store.Secret{}, failure("open", at, err)
	}
	return store.NewSecret(string(secret)), nil
}

func (s sealer) decrypt(ctx context.Context, additional []byte, sealed string) ([]byte, error) {
	e, err := parseEnvelope(sealed)
	if err != nil {
		return nil, err
	}
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
	secret, err := gcm.Open(nil, nonce[:], []byte(e.ciphertext), additional)
	if err != nil {
		return nil, ErrCannotOpen
	}
	return secret, nil
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

func failure(verb string, at place, err error) error {
	return fmt.Errorf("%s the secret of %s: %w", verb, at, environment(err))
}

// environment makes what a key ring returned a fault of the environment, even if
// it is an error of the catalogue: a key that is not found is no token that is
// not found.
func environment(err error) error {
	if _, catalogued := errors.AsType[*errors.Error](err); catalogued {
		return errors.New(err.Error())
	}
	return err
}
