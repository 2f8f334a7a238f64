package general

import (
	"fmt"
	"io"
	"slices"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/mac"
	"github.com/onezone-go/onezone/internal/printable"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/internal/wire"
	"github.com/onezone-go/onezone/store"
)

// Macaroon is a macaroon of any issuer. It is an immutable value that may be
// copied and shared. The zero Macaroon never verifies.
//
// A Macaroon is a credential: [Macaroon.Encode] returns its whole text. Its
// content is untrusted until it has been verified.
type Macaroon struct {
	// A pointer, because fmt prints the fields of an enclosing struct without
	// calling Format; then it shows the address.
	content *content
}

type content struct {
	wire.Macaroon
	signature string // 32 bytes
	readAs    Format
}

// Caveat is a caveat of a macaroon. A first-party caveat has only a Text.
type Caveat struct {
	Text           string // the condition; of a third-party caveat its identifier
	VerificationID string // of a third-party caveat: the root key of its discharge, encrypted
	Location       string // of a third-party caveat: a hint where to get the discharge; not signed
}

// IsThirdParty reports whether the caveat needs a discharge.
func (c Caveat) IsThirdParty() bool { return c.VerificationID != "" }

// New returns a macaroon without caveats, signed with the root key. The location
// may be empty; the identifier may hold any bytes.
//
// Errors: badValueEmpty {key "identifier" or "key"}; the operational error
// [store.ErrSealed] for a sealed key.
func New(location, identifier string, key store.Secret) (Macaroon, error) {
	switch {
	case identifier == "":
		return Macaroon{}, errors.BadValueEmpty("identifier")
	case key.IsZero():
		return Macaroon{}, errors.BadValueEmpty("key")
	case key.IsSealed():
		return Macaroon{}, fmt.Errorf("signing a macaroon: %w", store.ErrSealed)
	}
	var h mac.Hasher
	signature := key.Root().First(&h, identifier)
	return Macaroon{&content{
		Macaroon: wire.Macaroon{Location: location, Identifier: identifier}, signature: string(signature[:]),
	}}, nil
}

// Confine returns a copy of the macaroon with the texts appended as first-party
// caveats. It needs no key, and adds the texts unchanged: an issuer that does not
// know one of them refuses the macaroon.
//
// Errors, with which no caveat is added:
//   - badValueCaveat for an empty text;
//   - limitReached for more than [macaroon.DefaultMaxCaveats] caveats;
//   - badToken for the zero Macaroon.
func (m Macaroon) Confine(texts ...string) (Macaroon, error) {
	switch {
	case m.IsZero():
		return Macaroon{}, errors.BadToken("it is empty")
	case len(m.content.Caveats)+len(texts) > macaroon.DefaultMaxCaveats:
		return Macaroon{}, errors.LimitReached(macaroon.DefaultMaxCaveats, "caveats in a token")
	case slices.Contains(texts, ""):
		return Macaroon{}, errors.BadValueCaveat("")
	}
	var h mac.Hasher
	link := m.Signature()
	for _, text := range texts {
		link = h.Sum(&link, text)
	}
	confined := m.signed(link)
	confined.Caveats = slices.Concat(m.content.Caveats, texts)
	return Macaroon{confined}, nil
}

// signed returns a copy of the content with another signature.
func (m Macaroon) signed(link [mac.Size]byte) *content {
	c := *m.content
	c.readAs = 0
	c.signature = string(link[:])
	return &c
}

// IsZero reports whether this is the zero Macaroon.
func (m Macaroon) IsZero() bool { return m.content == nil }

// Location returns the location. It is a hint: it is not signed.
func (m Macaroon) Location() string {
	if m.IsZero() {
		return ""
	}
	return m.content.Location
}

// Identifier returns the identifier, by which the issuer finds the root key.
func (m Macaroon) Identifier() string {
	if m.IsZero() {
		return ""
	}
	return m.content.Identifier
}

// Signature returns the signature, or zeros for the zero Macaroon. It is as
// confidential as the whole macaroon.
func (m Macaroon) Signature() (signature [32]byte) {
	if !m.IsZero() {
		copy(signature[:], m.content.signature)
	}
	return signature
}

// Caveats returns all caveats, in order.
func (m Macaroon) Caveats() []Caveat {
	if m.IsZero() {
		return nil
	}
	caveats := make([]Caveat, len(m.content.Caveats))
	for i, text := range m.content.Caveats {
		caveats[i].Text = text
	}
	for _, third := range m.content.ThirdParty {
		caveats[third.Index].VerificationID, caveats[third.Index].Location = third.Verification, third.Location
	}
	return caveats
}

// ReadAs returns the format from which the macaroon was parsed, 0 if it was not
// parsed.
func (m Macaroon) ReadAs() Format {
	if m.IsZero() {
		return 0
	}
	return m.content.readAs
}

// Format prints the identifier, never the signature, for every verb.
func (m Macaroon) Format(f fmt.State, _ rune) {
	text := "[no macaroon]"
	if !m.IsZero() {
		text = fmt.Sprintf("[macaroon %s]", printable.Quote(m.content.Identifier))
	}
	_, _ = io.WriteString(f, text)
}

// MarshalJSON always returns an error, because the text of a credential should
// not be printed by mistake. Call [Macaroon.Encode] instead.
func (Macaroon) MarshalJSON() ([]byte, error) {
	return nil, errors.New("a macaroon is a credential: print it with Encode")
}

// UnmarshalJSON always returns badToken. Call [Parse] instead.
func (*Macaroon) UnmarshalJSON([]byte) error {
	return errors.BadToken("a macaroon cannot be decoded in this way: call Parse with its text")
}
