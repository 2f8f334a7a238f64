package macaroon

import (
	"context"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// Candidate is a parsed token that somebody else has to vouch for. It is for a
// [Verifier] that asks the Onezone that issued the token; an [Authority] needs
// none. Its content is untrusted until then. The zero Candidate proves nothing.
type Candidate struct{ candidate }

// NewCandidate parses the text of a token under the default limits, and its
// caveats in the vocabulary; nil is the Onezone language. The errors are those
// of [Limits.Parse], and tokenInvalid for a token with third-party caveats, whose
// discharges only an [Authority] verifies.
func NewCandidate(text string, v *caveat.Vocabulary) (Candidate, error) {
	parsed := new(struct {
		token Token
		body  body
	})
	if err := (Limits{}).parse(text, &parsed.token, &parsed.body); err != nil {
		return Candidate{}, err
	}
	if len(parsed.token.thirdParty) > 0 {
		return Candidate{}, errors.TokenInvalid().WithCause(errors.New("the token has third-party caveats, which only its Onezone verifies"))
	}
	return Candidate{candidate{token: &parsed.token, caveats: v.ParseList(parsed.token.caveats)}}, nil
}

// Token returns the token.
func (c Candidate) Token() Token {
	if c.token == nil {
		return Token{}
	}
	return *c.token
}

// Caveats returns the caveats of the token. They are not verified.
func (c Candidate) Caveats() caveat.List { return c.caveats }

// CheckClass returns an error unless a verification for the class accepts
// tokens of this type. It is the second check of [Authority.VerifyAccess] and
// its siblings. expected is the type of an invite token; zero means any.
// Errors: notAnAccessToken {received}, notAnIdentityToken {received},
// notAnInviteToken {expectedInviteType, received}.
func (c Candidate) CheckClass(class Class, expected InviteType) error {
	token := c.Token()
	return purpose{class: class, invite: expected}.checkType(&token)
}

// Vouched returns what the token proves after its Onezone has vouched for its
// signature, for the subject, and that it is not revoked. It checks the caveats
// and the session of the token against the request, whose fields have no
// defaults and whose vocabulary is not used. A type in [caveat.Request].Ignored
// counts as satisfied, for caveats that only the Onezone can decide.
//
// Errors: badToken for the zero Candidate, tokenCaveatUnknown {caveat},
// tokenCaveatUnverified {caveat}, tokenSessionInvalid.
func (c Candidate) Vouched(ctx context.Context, subject caveat.Subject, req caveat.Request) (Auth, error) {
	if c.token == nil {
		return Auth{}, errors.BadToken("it is empty")
	}
	auth, err := c.verified(ctx, &req)
	if err != nil {
		return Auth{}, err
	}
	auth.Subject, auth.Service = subject, 0
	if subject.Type == caveat.SubjectProvider {
		auth.Service = c.token.indicated
	}
	return auth, nil
}
