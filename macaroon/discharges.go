package macaroon

import (
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// DischargeVerifier verifies tokens that have third-party caveats. The Verifier
// of package github.com/onezone-go/onezone/macaroon/discharge is one.
type DischargeVerifier interface {
	// VerifyDischarges verifies the signatures of the token and of its bound
	// discharges, given by their texts, and nothing else. It returns the texts of
	// the first-party caveats of all of them, in the order in which they must be
	// checked. Each third-party caveat must have exactly one discharge, and each
	// discharge must be needed.
	//
	// Errors: tokenInvalid; limitReached for too many discharges. All other errors
	// are operational.
	VerifyDischarges(t Token, key store.Secret, discharges []string) (conditions []string, err error)
}

// WithDischarges sets the DischargeVerifier for tokens with third-party caveats.
// Their discharges are those of [caveat.Request]. Default: none, and such tokens
// are rejected with tokenInvalid.
//
// The verifier runs after the signature of the token was found to be right, and
// before the record and the caveats are checked. The first-party caveats of a
// discharge are checked in place of the caveat that it discharges. Discharges that
// the token does not need are rejected with tokenInvalid, also for tokens without
// third-party caveats. Service and consumer tokens must not have any.
func WithDischarges(v DischargeVerifier) Option { return func(a *Authority) { a.discharges = v } }

// verifyDischarges verifies the discharges of a token whose signature is right.
func (a *Authority) verifyDischarges(c *candidate, discharges []string) error {
	switch {
	case len(c.token.thirdParty) == 0 && len(discharges) == 0:
		return nil
	case len(c.token.thirdParty) == 0:
		return errors.TokenInvalid().WithCause(errors.New("the request has discharges that the token does not need"))
	case a.discharges == nil:
		return errors.TokenInvalid().WithCause(errors.New("the token has third-party caveats, and discharges are not accepted"))
	}
	conditions, err := a.discharges.VerifyDischarges(*c.token, c.key.Secret, discharges)
	if err != nil {
		return err
	}
	c.conditions = &conditions
	return nil
}

// texts returns the first-party caveats of the token and its discharges.
func (c *candidate) texts() []string {
	if c.conditions != nil {
		return *c.conditions
	}
	return c.token.caveats
}
