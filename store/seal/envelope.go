package seal

import (
	"encoding/binary"
	"strings"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/sealing"
)

const (
	maxKeyID   = 255
	maxWrapped = 65535
)

// The versions of envelopes, which differ in what is sealed together with the
// secret of a named token.
const (
	version1 = 1 // nothing
	version2 = 2 // the digest of the record
	version3 = 3 // also the digest of what the owner added; only if there is any
)

// envelope contains the parts of a sealed secret:
//
//	mark | version, 1 byte | length of key id, 1 byte | key id |
//	length of wrapped key, 2 bytes, big endian | wrapped key | ciphertext and tag
type envelope struct {
	version                    byte
	keyID, wrapped, ciphertext string
}

func (e envelope) secret() store.Secret {
	b := make([]byte, 0, len(sealing.Mark)+2+len(e.keyID)+2+len(e.wrapped)+len(e.ciphertext))
	b = append(b, sealing.Mark...)
	b = append(b, e.version, byte(len(e.keyID)))
	b = append(b, e.keyID...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(e.wrapped)))
	b = append(b, e.wrapped...)
	b = append(b, e.ciphertext...)
	return store.NewSecret(string(b))
}

// isCurrent reports whether the secret is sealed in the version of this
// release.
func isCurrent(secret store.Secret) bool {
	rest, sealed := strings.CutPrefix(secret.Reveal(), sealing.Mark)
	return sealed && rest != "" && (rest[0] == version2 || rest[0] == version3)
}

func parseEnvelope(text string) (e envelope, err error) {
	rest, sealed := strings.CutPrefix(text, sealing.Mark)
	switch {
	case !sealed:
		return envelope{}, ErrNotSealed
	case rest == "" || rest[0] < version1 || rest[0] > version3:
		return envelope{}, ErrCannotOpen
	}
	e.version = rest[0]
	var ok1, ok2 bool
	e.keyID, rest, ok1 = cutField(rest[1:], 1)
	e.wrapped, e.ciphertext, ok2 = cutField(rest, 2)
	if !ok1 || !ok2 {
		return envelope{}, ErrCannotOpen
	}
	return e, nil
}

// cutField returns a field that follows its length, a big endian number of the
// given number of bytes.
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
