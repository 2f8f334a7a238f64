package macaroon

import (
	"fmt"
	"io"
	"sync/atomic"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon/internal/recognition"
	"github.com/onezone-go/onezone/store"
)

// Defaults of [WithRecognition].
const (
	DefaultRecognizedTokens = 8192
	DefaultRecognizedBytes  = 16 << 20
)

// recognized is what the authority remembers of a token: the parsed token whose
// signature has verified, and the secret it verified under. It holds nothing else
// from the record, which is looked up for each verification.
type recognized struct {
	token   Token
	caveats caveat.List // in the vocabulary of the authority
	secret  store.Secret

	// For the recorder of uses.
	usedMinute atomic.Int64  // Unix time in minutes of the last use
	counted    atomic.Uint32 // uses in that minute that were counted one by one
}

// Format prints "[redacted]" for every verb.
func (*recognized) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// recognizedTokens is the memory of an authority for tokens that have verified.
type recognizedTokens struct {
	*recognition.Memory[recognized]
}

// add remembers a token that has verified under the secret. caveats must be the
// token's caveats, parsed in the authority's vocabulary.
func (m recognizedTokens) add(text recognition.Text, t Token, caveats caveat.List, secret store.Secret) {
	if len(t.thirdParty) > 0 {
		return
	}
	m.Add(text, len(*t.raw)+caveats.Size(), func(r *recognized) { r.token, r.caveats, r.secret = t, caveats, secret })
}

// removeToken forgets a named token and its copies.
func (m recognizedTokens) removeToken(id string) {
	m.Remove(func(r *recognized) bool { return r.token.ID() == id })
}

// removeTemporary forgets the temporary tokens of a subject.
func (m recognizedTokens) removeTemporary(subject caveat.Subject) {
	m.Remove(func(r *recognized) bool { return r.token.Generation() > 0 && r.token.Subject() == subject })
}
