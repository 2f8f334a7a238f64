package general

import (
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/internal/wire"
)

// FromToken returns a token as a general macaroon, which can be printed in other
// formats. The error is badToken for the zero Token.
func FromToken(t macaroon.Token) (Macaroon, error) {
	return Options{Limits: macaroon.Limits{MaxSize: len(t.String()), MaxCaveats: len(t.String())}}.Parse(t.String())
}

// Token returns the macaroon as a token. The errors are those of
// [macaroon.Parse]: badToken for a macaroon that no Onezone could have issued.
func (m Macaroon) Token() (macaroon.Token, error) {
	if m.IsZero() {
		return macaroon.Token{}, errors.BadToken("it is empty")
	}
	packets, problem := wire.Append(nil, &m.content.Macaroon, m.content.signature)
	if problem != "" {
		return macaroon.Token{}, errors.BadToken(problem)
	}
	return macaroon.Parse(wire.Encode(string(packets)))
}
