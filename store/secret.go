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

// Secret is the root secret of a token, or another confidential text such as a
// password hash. The zero Secret is empty, and every function that signs or
// verifies rejects it.
//
// It prints as [redacted] with every fmt verb, in JSON, as text and in slog.
// Only [Secret.Reveal] returns the text.
//
// Compare secrets with [Secret.Equal], which takes constant time.
type Secret struct {
	_    [0]func() // comparing with == would compare addresses
	text hidden
}

// hidden protects a secret from printers that use reflection instead of the
// methods of Secret. fmt does this for unexported fields of a struct, and
// follows one pointer if the verb does not fit. The printer of testify follows
// all pointers, and stops ten levels down. The nested arrays cost nothing at
// run time.
type hidden = [1][1][1][1][1][1][1][1][1][1]*material

type material struct {
	text *string
	root *mac.Root
}

const redacted = "[redacted]"

// NewSecret returns the secret with the given text. The bytes of the text are
// used unchanged: hexadecimal secrets of Onezone are not decoded.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	if strings.HasPrefix(text, sealing.Mark) {
		return newSealed(text)
	}
	// All parts share one allocation.
	var m struct {
		material
		text string
		root mac.Root
	}
	m.text = text
	m.root.Init(mac.Derive(text))
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

// at returns the address of the pointer to the material.
func (s *Secret) at() **material { return &s.text[0][0][0][0][0][0][0][0][0][0] }

// Reveal returns the text of the secret, or "" for the zero Secret.
func (s Secret) Reveal() string {
	if s.IsZero() {
		return ""
	}
	return *(*s.at()).text
}

// Root returns the key that starts the HMAC chain of a token. It is the
// HMAC-SHA256 of the text under the key "macaroons-key-generator", as in
// libmacaroons. Copies of the secret share the key, so a store that keeps
// Secrets in memory avoids repeated work.
//
// It is nil for the zero Secret and for a sealed one: anyone who reads the
// database knows the bytes of a sealed secret, so they must never be a key.
// Only package macaroon needs it.
func (s Secret) Root() *mac.Root {
	if s.IsZero() {
		return nil
	}
	return (*s.at()).root
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return *s.at() == nil }

// IsSealed reports whether package seal encrypted the secret. Only a sealed
// store with its key ring can open it; it signs and verifies nothing.
func (s Secret) IsSealed() bool { return !s.IsZero() && s.Root() == nil }

// Equal reports whether both secrets have the same text. Its time depends only
// on the length.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// String returns "[redacted]".
func (Secret) String() string { return redacted }

// Format prints "[redacted]" for every verb and flag.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText returns "[redacted]". Backends store the result of Reveal.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns "[redacted]".
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
