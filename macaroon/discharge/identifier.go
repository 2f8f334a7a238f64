package discharge

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"strings"
	"unicode/utf8"

	// The encryption that macaroon-bakery uses: Curve25519, XSalsa20, Poly1305.
	"golang.org/x/crypto/nacl/box"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// Sizes of identifiers, in bytes.
const (
	// MaxCondition is the longest condition of a caveat.
	MaxCondition = 8 << 10

	prefixSize    = 4 // of the discharger's public key
	headSize      = 1 + prefixSize + keySize + nonceSize
	rootKeySize   = 24 // of new identifiers, as in macaroon-bakery
	minRootKey    = 16
	maxIdentifier = 16 << 10
)

// Versions of identifiers.
const (
	version2 = 2
	version3 = 3 // has a namespace
)

// Caveat returns a caveat that the owner of the key can discharge at the
// location, if the condition holds. Its root key is random. [Add] adds it to a
// macaroon.
//
// The identifier holds the root key and the condition, encrypted for the owner
// of the key. It is an identifier of macaroon-bakery in version 3, with an empty
// namespace.
//
// Errors: badValueEmpty {key "publicKey", "location" or "condition"}; badData
// {key "condition"} for a condition that is not UTF-8 or longer than
// [MaxCondition].
func (k PublicKey) Caveat(location, condition string) (Caveat, error) {
	switch {
	case k.IsZero():
		return Caveat{}, errors.BadValueEmpty("publicKey")
	case location == "":
		return Caveat{}, errors.BadValueEmpty("location")
	case condition == "":
		return Caveat{}, errors.BadValueEmpty("condition")
	case len(condition) > MaxCondition:
		return Caveat{}, errors.BadDataHint("condition", "it is longer than 8192 bytes")
	case !utf8.ValidString(condition):
		return Caveat{}, errors.BadDataHint("condition", "it is not UTF-8")
	}
	var rootKey [rootKeySize]byte
	var nonce [nonceSize]byte
	_, _ = rand.Read(rootKey[:]) // never fails: see crypto/rand
	_, _ = rand.Read(nonce[:])

	secret := []byte{version3, rootKeySize}
	secret = append(secret, rootKey[:]...)
	secret = append(secret, 0) // the length of the namespace
	secret = append(secret, condition...)

	sender := NewKey()
	id := append([]byte{version3}, k.raw[:prefixSize]...)
	id = append(id, sender.public.raw[:]...)
	id = append(id, nonce[:]...)
	id = box.Seal(id, secret, &nonce, &k.raw, sender.bytes())
	return Caveat{Location: location, Identifier: string(id), Key: store.NewSecret(string(rootKey[:]))}, nil
}

// Open returns the condition and the root key in the identifier of a caveat that
// was made with the public key. It opens identifiers of macaroon-bakery in
// versions 2 and 3. The condition may be empty.
//
// Anyone can make an identifier: that it opens proves nothing about the sender.
//
// The error is badData {key "identifier"}: the identifier was made for another
// key, or it is malformed.
func (k PrivateKey) Open(identifier string) (condition string, key store.Secret, err error) {
	secret, problem := k.decrypt(identifier)
	if problem == "" {
		condition, key, problem = parseSecret(secret, identifier[0])
	}
	if problem != "" {
		return "", store.Secret{}, errors.BadDataHint("identifier", problem)
	}
	return condition, key, nil
}

// decrypt returns the encrypted part of an identifier.
func (k PrivateKey) decrypt(identifier string) (secret []byte, problem string) {
	switch {
	case k.IsZero():
		return nil, "there is no key to open it with"
	case len(identifier) > maxIdentifier:
		return nil, "it is longer than 16384 bytes"
	case len(identifier) <= headSize+box.Overhead:
		return nil, "it is too short for an encrypted condition"
	case identifier[0] != version2 && identifier[0] != version3:
		return nil, "its version is neither 2 nor 3"
	}
	prefix, rest := []byte(identifier[1:1+prefixSize]), identifier[1+prefixSize:]
	if subtle.ConstantTimeCompare(prefix, k.public.raw[:prefixSize]) != 1 {
		return nil, notForThisKey
	}
	sender := PublicKey{[keySize]byte([]byte(rest[:keySize]))}
	nonce := [nonceSize]byte([]byte(rest[keySize : keySize+nonceSize]))
	if !sender.isUsable() {
		return nil, "its public key is a point of low order"
	}
	secret, ok := box.Open(nil, []byte(rest[keySize+nonceSize:]), &nonce, &sender.raw, k.bytes())
	if !ok {
		return nil, notForThisKey
	}
	return secret, ""
}

const (
	notForThisKey = "it was not made for the key of this discharger, or it was changed"
	badSecret     = "its encrypted part is malformed"
)

// parseSecret parses the encrypted part of an identifier: the version, the root
// key, the namespace in version 3, and the condition, which is the rest.
func parseSecret(secret []byte, version byte) (condition string, key store.Secret, problem string) {
	if len(secret) == 0 || secret[0] != version {
		return "", store.Secret{}, badSecret
	}
	rootKey, rest, ok := cutField(secret[1:])
	var namespace []byte
	if ok && version == version3 {
		namespace, rest, ok = cutField(rest)
	}
	key = store.NewSecret(string(rootKey))
	switch {
	case !ok, !isNamespace(namespace):
		return "", store.Secret{}, badSecret
	case len(rootKey) < minRootKey, key.IsSealed():
		return "", store.Secret{}, "its root key is too weak"
	case len(rest) > MaxCondition, !utf8.Valid(rest):
		return "", store.Secret{}, "its condition is too long, or not UTF-8"
	}
	return string(rest), key, ""
}

// cutField cuts a field behind its length, a varint in the shortest form.
func cutField(b []byte) (field, rest []byte, ok bool) {
	n, size := binary.Uvarint(b)
	if size <= 0 || size > 1 && b[size-1] == 0 || n > uint64(len(b)-size) {
		return nil, nil, false
	}
	b = b[size:]
	return b[:n], b[n:], true
}

// isNamespace reports whether the text is a list of URI:PREFIX, separated by
// single spaces.
func isNamespace(text []byte) bool {
	if len(text) == 0 {
		return true
	}
	for each := range strings.SplitSeq(string(text), " ") {
		if !strings.Contains(each, ":") {
			return false
		}
	}
	return utf8.Valid(text)
}
