package oidc

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"slices"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// verifyIDToken verifies the ID token of a log-in with that nonce, and returns
// what it says about its user.
func (l *logIn) verifyIDToken(ctx context.Context, text, nonce string) (identity, error) {
	if len(text) > maxToken {
		return identity{}, errBadAnswer
	}
	jws, err := jose.ParseSignedCompact(text, algorithms)
	if err != nil {
		return identity{}, errBadAnswer
	}
	c, err := l.withKeys(ctx, jws.Signatures[0].Header, func(keys []any) (claims, error) {
		return l.checkIDToken(ctx, text, nonce, keys)
	})
	if err != nil {
		return identity{}, err
	}
	return l.options.identity(c)
}

// checkIDToken returns the claims of an ID token that one of the keys has signed,
// and whose claims are right (OpenID Connect Core 1.0, section 3.1.3.7).
func (l *logIn) checkIDToken(ctx context.Context, text, nonce string, keys []any) (claims, error) {
	signed := &keySet{keys: keys}
	verifier := oidc.NewVerifier(l.options.Issuer, signed, &oidc.Config{
		ClientID: l.client.ClientID, Now: l.options.Now, SupportedSigningAlgs: algorithmNames,
	})
	token, err := verifier.Verify(ctx, text)
	if !signed.matched {
		return nil, errSignature
	}
	var c claims
	if err != nil || token.Claims(&c) != nil || c == nil {
		return nil, errBadAnswer
	}
	var exp float64
	audiences, _ := c.texts("aud")
	switch {
	case c.text("iss") != token.Issuer, c.text("sub") != token.Subject:
		return nil, refusal("a claim is repeated with another spelling")
	case !slices.Contains(audiences, l.client.ClientID):
		return nil, refusal("the ID token is for another audience")
	case json.Unmarshal(c["exp"], &exp) != nil || exp <= seconds(l.options.Now()):
		return nil, refusal("the ID token has expired")
	case len(audiences) > 1 && c["azp"] == nil, c["azp"] != nil && c.text("azp") != l.client.ClientID:
		return nil, refusal("the ID token is for another client")
	case subtle.ConstantTimeCompare([]byte(c.text("nonce")), []byte(nonce)) != 1:
		return nil, refusal("the ID token is of another log-in")
	}
	return c, nil
}
