// Package mac computes HMAC-SHA256 for macaroons: with keys of 32 bytes and
// short messages.
package mac

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
)

// Size is the size of a key and of a code, in bytes.
const Size = sha256.Size

const (
	blockSize = sha256.BlockSize

	// stackMessage is the longest message that needs no allocation. It is
	// enough for every caveat except long lists.
	stackMessage = 448
)

// The pads of RFC 2104.
var (
	innerPad = [blockSize]byte([]byte(strings.Repeat("\x36", blockSize)))
	outerPad = [blockSize]byte([]byte(strings.Repeat("\x5c", blockSize)))
)

// generator is the key from which libmacaroons derives root keys.
var generator = func() (key [Size]byte) {
	copy(key[:], "macaroons-key-generator")
	return key
}()

// Derive returns the root key of a text, as in libmacaroons. The text must not
// be empty.
func Derive(text string) [Size]byte { return Sum(&generator, text) }

// Sum returns the HMAC-SHA256 (RFC 2104) of the message.
func Sum(key *[Size]byte, message string) [Size]byte {
	var h Hasher
	return h.Sum(key, message)
}

// Hasher computes a sequence of HMACs. Unlike crypto/hmac it does not allocate:
// short messages are hashed in one call from the memory of the Hasher, which
// should be on the stack. The zero value is ready to use.
type Hasher struct {
	inner [blockSize + stackMessage]byte
	outer [blockSize + sha256.Size]byte
}

// Sum returns the HMAC-SHA256 (RFC 2104) of the message.
func (h *Hasher) Sum(key *[Size]byte, message string) [Size]byte {
	copy(h.inner[:], innerPad[:])
	copy(h.outer[:], outerPad[:])
	subtle.XORBytes(h.inner[:], key[:], innerPad[:])
	subtle.XORBytes(h.outer[:], key[:], outerPad[:])
	var digest [sha256.Size]byte
	if n := copy(h.inner[blockSize:], message); n == len(message) {
		digest = sha256.Sum256(h.inner[:blockSize+n])
	} else {
		long := sha256.New()
		long.Write(h.inner[:blockSize])
		long.Write([]byte(message))
		long.Sum(digest[:0])
	}
	copy(h.outer[blockSize:], digest[:])
	return sha256.Sum256(h.outer[:])
}

// SumPair returns the HMAC-SHA256 of the HMACs of two messages, all with the
// same key. It signs third-party caveats.
func (h *Hasher) SumPair(key *[Size]byte, first, second string) [Size]byte {
	var pair [2 * Size]byte
	one, two := h.Sum(key, first), h.Sum(key, second)
	copy(pair[:], one[:])
	copy(pair[Size:], two[:])
	return h.Sum(key, string(pair[:]))
}

// Bind returns the signature of a discharge that is bound to the macaroon with the
// signature root.
func (h *Hasher) Bind(root, discharge *[Size]byte) [Size]byte {
	var zeros [Size]byte
	return h.SumPair(&zeros, string(root[:]), string(discharge[:]))
}

// Root is the first key of a chain of HMACs. It is safe for concurrent use.
//
// A Root remembers one first link. The root of a named token only ever signs
// the identifier of that token, so the many confined copies of the token begin
// with the same link.
type Root struct {
	key   [Size]byte
	used  atomic.Bool // a message was offered to Remember before
	first atomic.Pointer[link]
}

type link struct {
	message string
	code    [Size]byte
}

// Init sets the key of a new root.
func (r *Root) Init(key [Size]byte) { r.key = key }

// Format prints "[redacted]" for every verb and flag, because the key is as
// confidential as the secret it is derived from.
func (*Root) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// First returns the HMAC of the message under the root.
func (r *Root) First(h *Hasher, message string) [Size]byte {
	if l := r.first.Load(); l != nil && l.message == message {
		return l.code
	}
	return h.Sum(&r.key, message)
}

// Remember keeps the result of First for a message, from the second call on: a
// store that returns a new root for each look-up gains nothing from it. The
// message must be genuine, so that strangers cannot take the place.
func (r *Root) Remember(message string, code [Size]byte) {
	if r.first.Load() != nil || !r.used.Swap(true) {
		return
	}
	r.first.CompareAndSwap(nil, &link{strings.Clone(message), code})
}
