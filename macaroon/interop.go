package macaroon

import (
	"fmt"

	// For interoperability: binary V2 and JSON formats. It
	// is the reference implementation in Go and depends only on x/crypto.
	macaroonv2 "gopkg.in/macaroon.v2"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/internal/wire"
)

// Macaroon returns the token as a value of gopkg.in/macaroon.v2. That package
// encodes other formats.
func (t Token) Macaroon() (*macaroonv2.Macaroon, error) {
	if t.IsZero() {
		return nil, errors.BadToken("it is empty")
	}
	var m macaroonv2.Macaroon
	if err := m.UnmarshalBinary([]byte(*t.raw)); err != nil {
		return nil, fmt.Errorf("converting a token: %w", err)
	}
	return &m, nil
}

// FromMacaroon converts a value of gopkg.in/macaroon.v2 to a token, under the
// default limits. The error is badToken if m is nil or not a token of an
// Onezone, and tokenTooLarge {limit} if its text would be longer than 1 MiB.
func FromMacaroon(m *macaroonv2.Macaroon) (Token, error) {
	if m == nil {
		return Token{}, errors.BadToken("it is empty")
	}
	// The package does not encode a version 2 macaroon in version 1, so the
	// packets are written here.
	raw, problem := wire.Append(nil, fieldsOf(m), string(m.Signature()))
	if problem != "" {
		return Token{}, errors.BadToken(problem)
	}
	var t Token
	if problem := t.parse(&body{raw: string(raw)}, wire.MaxCaveats); problem != "" {
		return Token{}, errors.BadToken(problem)
	}
	if len(t.String()) > DefaultMaxSize {
		return Token{}, errors.TokenTooLarge(DefaultMaxSize)
	}
	return t, nil
}

// fieldsOf returns the fields of a macaroon.
func fieldsOf(m *macaroonv2.Macaroon) *wire.Macaroon {
	fields := &wire.Macaroon{Location: m.Location(), Identifier: string(m.Id())}
	for i, c := range m.Caveats() {
		fields.Caveats = append(fields.Caveats, string(c.Id))
		if len(c.VerificationId) > 0 {
			fields.ThirdParty = append(fields.ThirdParty, wire.ThirdParty{Index: i, Verification: string(c.VerificationId), Location: c.Location})
		}
	}
	return fields
}
