package general

import (
	"slices"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/mac"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/internal/wire"
)

// AddThirdParty returns a copy of the macaroon with a third-party caveat
// appended. The caller must have encrypted the verification id under the
// signature of the macaroon, as the function Add of package discharge does.
//
// Errors, with which no caveat is added:
//   - badValueEmpty {key "identifier" or "verificationId"};
//   - limitReached for more than [macaroon.DefaultMaxCaveats] caveats;
//   - badToken for the zero Macaroon.
func (m Macaroon) AddThirdParty(c Caveat) (Macaroon, error) {
	switch {
	case m.IsZero():
		return Macaroon{}, errors.BadToken("it is empty")
	case len(m.content.Caveats) >= macaroon.DefaultMaxCaveats:
		return Macaroon{}, errors.LimitReached(macaroon.DefaultMaxCaveats, "caveats in a token")
	case c.Text == "":
		return Macaroon{}, errors.BadValueEmpty("identifier")
	case c.VerificationID == "":
		return Macaroon{}, errors.BadValueEmpty("verificationId")
	}
	var h mac.Hasher
	link := m.Signature()
	confined := m.signed(h.SumPair(&link, c.VerificationID, c.Text))
	confined.ThirdParty = append(slices.Clip(m.content.ThirdParty), wire.ThirdParty{
		Index: len(m.content.Caveats), Verification: c.VerificationID, Location: c.Location,
	})
	confined.Caveats = append(slices.Clip(m.content.Caveats), c.Text)
	return Macaroon{confined}, nil
}

// BindTo returns the macaroon, a discharge, bound to the macaroon with which it
// is sent. A bound discharge is of no use with any other macaroon, and no caveat
// can be added to it. The error is badToken if one of both is zero.
func (m Macaroon) BindTo(root Macaroon) (Macaroon, error) {
	if m.IsZero() || root.IsZero() {
		return Macaroon{}, errors.BadToken("it is empty")
	}
	var h mac.Hasher
	rootSignature, signature := root.Signature(), m.Signature()
	return Macaroon{m.signed(h.Bind(&rootSignature, &signature))}, nil
}
