package macaroon

import (
	"context"
	"fmt"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// Verify verifies the token against its secret and the request. It checks the
// signature first, then each caveat in order, then the session. It uses no
// records, so it cannot check revocation or the subject: see [Authority]. It has
// no discharges, so it rejects tokens with third-party caveats.
//
// Errors: tokenInvalid, tokenCaveatUnknown {caveat}, tokenCaveatUnverified
// {caveat}, tokenSessionInvalid; the operational error [store.ErrSealed] for a
// sealed secret.
func (t Token) Verify(ctx context.Context, secret store.Secret, req caveat.Request) (Auth, error) {
	if secret.IsSealed() {
		return Auth{}, fmt.Errorf("verifying a token: %w", store.ErrSealed)
	}
	if len(t.thirdParty) > 0 || !t.chain(secret, nil) {
		return Auth{}, errors.TokenInvalid()
	}
	c := candidate{token: &t, caveats: req.Vocabulary.ParseList(t.caveats)}
	return c.verified(ctx, &req)
}

// verified checks the caveats and session of a token whose signature is valid,
// and returns what it proves.
func (c *candidate) verified(ctx context.Context, req *caveat.Request) (Auth, error) {
	err := c.check(ctx, req)
	if r, ok := err.(*refusedCaveat); ok {
		return Auth{}, r.err
	}
	if err != nil {
		return Auth{}, err
	}
	return c.auth(req), nil
}
