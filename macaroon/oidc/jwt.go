package oidc

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	// Verifies the claims of tokens and reads discovery documents.
	"github.com/coreos/go-oidc/v3/oidc"
	// Parses keys and verifies signatures.
	"github.com/go-jose/go-jose/v4"

	"github.com/onezone-go/onezone/errors"
)

// algorithms are the signature algorithms of tokens: none with a shared key.
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

var algorithmNames = func() (names []string) {
	for _, a := range algorithms {
		names = append(names, string(a))
	}
	return names
}()

// maxSkew is how far the claim nbf may be in the future.
const maxSkew = time.Minute

// isJWT reports whether the text has the form of a JWT. A JWT is never shown to
// the userinfo endpoint instead of being verified: the endpoint would accept
// tokens for other audiences.
func isJWT(text string) bool {
	head, rest, _ := strings.Cut(text, ".")
	if strings.Count(rest, ".") != 1 {
		return false
	}
	var header map[string]json.RawMessage
	decoded, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(head, "="))
	return err == nil && json.Unmarshal(decoded, &header) == nil && header != nil
}

// verifyJWT verifies a JWT and returns what it says about its user.
func (p *Provider) verifyJWT(ctx context.Context, text string) (identity, error) {
	jws, err := jose.ParseSignedCompact(text, algorithms)
	if err != nil {
		return identity{}, refusal("it is not a JWT with an allowed signature algorithm")
	}
	header := jws.Signatures[0].Header
	if !isAccessTokenType(header) {
		return identity{}, refusal("the type of the JWT in its header is not that of an access token")
	}
	c, err := p.withKeys(ctx, header, func(keys []any) (claims, error) { return p.checkJWT(ctx, text, keys) })
	if err != nil {
		return identity{}, err
	}
	return p.options.identity(c)
}

// withKeys calls check with the keys of the issuer for a header, and again if none
// of them fits and the issuer has new keys.
func (p *Provider) withKeys(ctx context.Context, header jose.Header, check func(keys []any) (claims, error)) (claims, error) {
	m, err := p.issuer.current(ctx)
	if err != nil {
		return nil, err
	}
	c, err := check(m.keysFor(header))
	if !errors.Is(err, errSignature) {
		return c, err
	}
	newer, unreachable := p.issuer.newer(ctx, m)
	switch {
	case unreachable != nil:
		return nil, unreachable
	case newer != m:
		return check(newer.keysFor(header))
	}
	return nil, err
}

// errSignature is the error for a JWT that none of the keys has signed.
const errSignature = refusal("no key of the issuer has signed the token")

// checkJWT returns the claims of a JWT that one of the keys has signed, and whose
// claims are right.
func (p *Provider) checkJWT(ctx context.Context, text string, keys []any) (claims, error) {
	signed := &keySet{keys: keys}
	verifier := oidc.NewVerifier(p.options.Issuer, signed, &oidc.Config{
		SkipClientIDCheck: true, // there may be several audiences, see checkClaims
		Now:               p.options.Now, SupportedSigningAlgs: algorithmNames,
	})
	token, err := verifier.Verify(ctx, text)
	switch {
	case !signed.matched:
		return nil, errSignature
	case errors.As(err, new(*oidc.TokenExpiredError)):
		return nil, refusal("the token has expired")
	case err != nil:
		return nil, refusal("the issuer is another one, the token is not valid yet, or a claim is malformed")
	}
	var c claims
	if token.Claims(&c) != nil || c == nil {
		return nil, refusal("the claims are not a JSON object")
	}
	return c, p.checkClaims(token, c)
}

// checkClaims checks what package oidc leaves open, by the exact names of claims.
func (p *Provider) checkClaims(token *oidc.IDToken, c claims) error {
	now := p.options.Now()
	var exp, nbf float64
	audiences, _ := c.texts("aud")
	switch {
	case c.text("iss") != token.Issuer, c.text("sub") != token.Subject:
		return refusal("a claim is repeated with another spelling")
	case json.Unmarshal(c["exp"], &exp) != nil || exp <= seconds(now):
		return refusal("the token has expired, or has no time of expiry")
	case c["nbf"] != nil && (json.Unmarshal(c["nbf"], &nbf) != nil || nbf > seconds(now.Add(maxSkew))):
		return refusal("the token is not valid yet")
	case !p.options.AnyAudience && !slices.ContainsFunc(audiences, func(a string) bool { return slices.Contains(p.options.Audiences, a) }):
		return refusal("the token is for another audience")
	case c["typ"] != nil && !slices.Contains([]string{"bearer", "at+jwt"}, strings.ToLower(c.text("typ"))):
		return refusal("the claim typ is not that of an access token")
	case c["at_hash"] != nil || c["c_hash"] != nil || c["events"] != nil:
		return refusal("it is an ID token or a logout token")
	case c["cnf"] != nil:
		return refusal("the token is bound to a key of the client")
	}
	return nil
}

func seconds(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }

// isAccessTokenType checks the header typ, which many issuers leave out or set to
// JWT.
func isAccessTokenType(h jose.Header) bool {
	typ, ok := h.ExtraHeaders[jose.HeaderType]
	if !ok {
		return true
	}
	name, _ := typ.(string)
	return slices.Contains([]string{"jwt", "at+jwt", "application/at+jwt"}, strings.ToLower(name))
}

// keySet verifies a signature with the keys of a token's header, and remembers
// whether one of them has made it.
type keySet struct {
	keys    []any
	matched bool
}

// VerifySignature implements [oidc.KeySet].
func (s *keySet) VerifySignature(_ context.Context, text string) ([]byte, error) {
	jws, err := jose.ParseSignedCompact(text, algorithms)
	if err != nil {
		return nil, err
	}
	for _, key := range s.keys {
		if payload, err := jws.Verify(key); err == nil {
			s.matched = true
			return payload, nil
		}
	}
	return nil, errSignature
}

// isStrong reports whether signatures of a public key can be relied on.
func isStrong(key any) bool {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return key.N.BitLen() >= 2048
	case *ecdsa.PublicKey, ed25519.PublicKey:
		return true
	}
	return false
}
