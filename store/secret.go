package store

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/onezone-go/onezone/internal/mac"
	"github.com/onezone-go/onezone/store/internal/sealing"
)

// Secret is the text that a token's signature grows from, or another text that
// must not be seen, such as a password hash. The zero Secret is empty, and
// every function that signs or verifies refuses it.
//
// It prints as [redacted] under every fmt verb, in JSON, as text and in slog.
// [Secret.Reveal] is the only way to the text.
//
// Compare secrets with [Secret.Equal], which takes constant time.
type Secret struct {
	_    [0]func() // comparing with == would compare addresses
	text buried
}

// buried keeps a secret from what prints by reflection, without asking the
// methods of Secret. fmt does that to the unexported fields of a struct, and
// follows one pointer where a verb does not fit: it meets another. The printer
// of testify follows them all, and stops ten levels down; at run time the levels
// cost nothing.
type buried = [1][1][1][1][1][1][1][1][1][1]*material

type material struct {
	text *string
	root *mac.Root
}

const redacted = "[redacted]"

// NewSecret returns the secret with the given text. The text is used byte for
// byte: Onezone's hexadecimal secrets are not decoded.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	if strings.HasPrefix(text, sealing.Mark) {
		return newSealed(text)
	}
	// One allocation for all of it.
	var m struct {
		material
		text string
		root mac.Root
	}
	m.text = text
	m.root = mac.NewRoot(mac.Sum(&generator, text))
	m.material = material{&m.text, &m.root}
	var s Secret
	*s.at() = &m.material
	return s
}

// newSealed returns a secret without a root key.
func newSealed(text string) (s Secret) {
	var m struct {
		material
		text string
	}
	m.text = text
	m.material.text = &m.text
	*s.at() = &m.material
	return s
}

// at is the place of the material.
func (s *Secret) at() **material { return &s.text[0][0][0][0][0][0][0][0][0][0] }

// generator is the key with which libmacaroons derives root keys.
var generator = func() (key [mac.Size]byte) {
	copy(key[:], "macaroons-key-generator")
	return key
}()

// Reveal returns the text of the secret, "" for the zero Secret.
func (s Secret) Reveal() string {
	if s.IsZero() {
		return ""
	}
	return *(*s.at()).text
}

// Root returns the key that the HMAC chain of a token begins with: the
// HMAC-SHA256 of the text under the key "macaroons-key-generator", as
// libmacaroons derives it. It is made with the secret and shared by its copies,
// so that a store which keeps Secrets in memory saves the work that was done
// with it before. It is nil for the zero Secret and for a sealed one: whoever
// reads the database knows the bytes of a sealed secret, so they are never a key.
// It is for package macaroon, and of no use to others.
func (s Secret) Root() *mac.Root {
	if s.IsZero() {
		return nil
	}
	return (*s.at()).root
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return *s.at() == nil }

// IsSealed reports whether the secret is one that package seal encrypted, which
// only a sealed store with its key ring opens. It signs and verifies nothing.
func (s Secret) IsSealed() bool { return !s.IsZero() && s.Root() == nil }

// Equal reports whether both secrets have the same text, in time that depends
// on the length alone.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// String returns "[redacted]".
func (Secret) String() string { return redacted }

// Format prints "[redacted]" whatever the verb and flags.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText returns "[redacted]". Backends store what Reveal returns.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns "[redacted]".
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
