package store

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
)

// Secret is the text that a token's signature grows from, or another text that
// must not be seen, such as a password hash. The zero Secret is empty, and
// every function that signs or verifies refuses it.
//
// It prints as [redacted] under every fmt verb, in JSON, as text and in slog.
// [Secret.Reveal] is the only way to the text.
//
// Compare secrets with [Secret.Equal]. [reflect.DeepEqual], and so testify's
// Equal, work on records with secrets as well, which is good enough for tests.
type Secret struct {
	_    [0]func() // comparing with == would compare addresses
	text buried
}

// buried holds a text where what prints by reflection, and so never asks the
// methods of a Secret, does not get to it. For fmt, which does that to the
// unexported fields of a struct, a pointer is enough: it shows an address. The
// printer of testify follows pointers, also unexported ones, but stops ten
// levels down; at run time the levels cost nothing.
type buried = [1][1][1][1][1][1][1][1][1][1]*material

type material struct {
	text string
	root atomic.Pointer[[sha256.Size]byte]
}

const redacted = "[redacted]"

// NewSecret returns the secret with the given text. The text is used byte for
// byte: Onezone's hexadecimal secrets are not decoded.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	var s Secret
	*s.at() = &material{text: text}
	return s
}

// at is the place of the text.
func (s *Secret) at() **material { return &s.text[0][0][0][0][0][0][0][0][0][0] }

// Reveal returns the text of the secret, "" for the zero Secret.
func (s Secret) Reveal() string {
	if s.IsZero() {
		return ""
	}
	return (*s.at()).text
}

// RootKey returns the key that the HMAC chain of a token begins with, derived
// from the text as libmacaroons does it: HMAC-SHA256 of the text under the key
// "macaroons-key-generator". It is computed once for a secret and its copies, so
// that a store which keeps Secrets in memory saves that work at each lookup.
func (s Secret) RootKey() [sha256.Size]byte {
	m := *s.at()
	if m == nil {
		return deriveRoot("")
	}
	if root := m.root.Load(); root != nil {
		return *root
	}
	root := deriveRoot(m.text)
	m.root.Store(&root)
	return root
}

func deriveRoot(text string) (root [sha256.Size]byte) {
	h := hmac.New(sha256.New, []byte("macaroons-key-generator"))
	h.Write([]byte(text))
	h.Sum(root[:0])
	return root
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return *s.at() == nil }

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
