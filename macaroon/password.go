package macaroon

import (
	"crypto/pbkdf2"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/onezone-go/onezone/store"
)

// Parameters of password hashes, PBKDF2-HMAC-SHA512 (RFC 8018).
const (
	legacyIterations = 2048 // of hashes that the original Onezone made
	passwordSaltSize = 32   // bytes
	passwordHashSize = 32   // bytes

	// maxIterations bounds the cost that a stored hash can give to a log-in.
	maxIterations = 10_000_000
)

// passwordHash is the hash of a password. It is stored as
// "pbkdf2-sha512$ITERATIONS$SALT$HASH" with salt and hash in unpadded
// base64url. The original Onezone stored the salt, a dot and the hash, as raw
// bytes.
type passwordHash struct {
	iterations int
	salt, hash []byte
}

const passwordScheme = "pbkdf2-sha512"

// derive returns the hash of a password under the salt and iterations of h.
func (h passwordHash) derive(password string) ([]byte, error) {
	hash, err := pbkdf2.Key(sha512.New, password, h.salt, h.iterations, passwordHashSize)
	if err != nil {
		return nil, fmt.Errorf("hashing a password: %w", err)
	}
	return hash, nil
}

// secret returns the hash in its stored form.
func (h passwordHash) secret() store.Secret {
	encode := base64.RawURLEncoding.EncodeToString
	return store.NewSecret(fmt.Sprintf("%s$%d$%s$%s", passwordScheme, h.iterations, encode(h.salt), encode(h.hash)))
}

func parsePasswordHash(stored store.Secret) (h passwordHash, ok bool) {
	text := stored.Reveal()
	if len(text) == passwordSaltSize+1+passwordHashSize && text[passwordSaltSize] == '.' {
		return passwordHash{legacyIterations, []byte(text[:passwordSaltSize]), []byte(text[passwordSaltSize+1:])}, true
	}
	part := strings.Split(text, "$")
	if len(part) != 4 || part[0] != passwordScheme {
		return h, false
	}
	var err1, err2, err3 error
	h.iterations, err1 = strconv.Atoi(part[1])
	h.salt, err2 = base64.RawURLEncoding.DecodeString(part[2])
	h.hash, err3 = base64.RawURLEncoding.DecodeString(part[3])
	ok = err1 == nil && err2 == nil && err3 == nil && h.iterations > 0 && h.iterations <= maxIterations &&
		len(h.hash) == passwordHashSize
	return h, ok
}
