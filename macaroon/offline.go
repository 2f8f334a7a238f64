package macaroon

import (
	"context"
	"fmt"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// Verify checks the token against its secret and the request: the signature
// first, then each caveat in order, then the session. It uses no records:
// [Authority] decides whether the token is revoked and its subject exists.
//
// Errors: tokenInvalid, tokenCaveatUnknown {caveat}, tokenCaveatUnverified
// {caveat}, tokenSessionInvalid. A sealed secret is the operational error
// [store.ErrSealed].
func (t Token) Verify(ctx context.Context, secret store.Secret, req caveat.Request) (Auth, error) {
	if secret.IsSealed() {
		return Auth{}, fmt.Errorf("verifying a token: %w", store.ErrSealed)
	}
	if !t.chain(secret, nil) {
		return Auth{}, errors.TokenInvalid()
	}
	c := candidate{token: &t, caveats: req.Vocabulary.ParseList(t.caveats)}
	return c.verified(ctx, &req)
}

// verified is what a genuine token proves where no record decides.
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
