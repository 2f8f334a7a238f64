// Package mac computes HMAC-SHA256 for macaroons: with keys of 32 bytes and
// short messages.
package mac

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"strings"
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

// Root is the first key of a chain of HMACs. It is immutable.
type Root struct {
	key [Size]byte
}

// NewRoot returns the root with the given key.
func NewRoot(key [Size]byte) Root { return Root{key} }

// Format prints "[redacted]" for every verb and flag, because the key is as
// confidential as the secret it is derived from.
func (*Root) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// First returns the HMAC of the message under the root.
func (r *Root) First(h *Hasher, message string) [Size]byte { return h.Sum(&r.key, message) }
