package macaroon

import "github.com/onezone-go/onezone/macaroon/internal/wire"

// Unexported names that external tests use.
const (
	DefaultCustomMetadata   = defaultCustomMetadata
	DefaultRecord           = defaultRecord
	DefaultMaxParsedCaveats = wire.MaxCaveats
	LegacyTTL               = legacyTTL
)

// Unexported functions that external tests use.
var (
	ValidateUsername = validateUsername
	ValidateFullName = validateFullName
	ValidatePassword = validatePassword
)

// HashQuickly reduces the cost of hashing passwords to a thousandth, for tests
// that are not about hashing.
func HashQuickly(a *Authority) {
	a.passwords.derive = func(h passwordHash, password string) ([]byte, error) {
		h.iterations = h.iterations/1000 + 1
		return h.derive(password)
	}
}
