package macaroon

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sync"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/internal/recognition"
	"github.com/onezone-go/onezone/store"
)

// candidate is a token that is being verified.
type candidate struct {
	presented  recognition.Text
	token      *Token
	recognized *recognized // the cached result of an earlier verification; nil if none
	caveats    caveat.List
	key        store.Key // what authenticate has looked up
	conditions *[]string // first-party caveats of the token and its discharges; nil without third-party caveats
}

// decode returns the token from the recognition cache, or parses the text.
func (a *Authority) decode(text string) (c candidate, err error) {
	c.presented = a.recognition.Present(text)
	if c.recognized = a.recognition.Find(c.presented); c.recognized != nil {
		c.token = &c.recognized.token
		return c, nil
	}
	parsed := new(struct {
		token Token
		body  body
	})
	c.token = &parsed.token
	return c, a.limits.parse(text, &parsed.token, &parsed.body)
}

// authenticate looks up the key, verifies the signature and those of the
// discharges in the request, and then checks the token's record. A nil request is
// not for using the token, and needs no discharges. Errors: tokenInvalid,
// tokenRevoked, tokenSubjectInvalid; a [baitUse], which report turns into
// tokenRevoked.
func (a *Authority) authenticate(ctx context.Context, c *candidate, req *caveat.Request) (err error) {
	if c.key, err = a.key(ctx, c.token); err != nil {
		return err
	}
	revoked := c.key.Revoked
	if !a.recognizes(c) {
		genuine, ofRevokedCopy := c.token.genuine(&c.key)
		if !genuine {
			return errors.TokenInvalid()
		}
		revoked = revoked || ofRevokedCopy
	}
	if req != nil {
		if err := a.verifyDischarges(c, req.Discharges); err != nil {
			return err
		}
	}
	if c.key.Bait != 0 {
		return &baitUse{c.key.Bait, c.key.Subject}
	}
	if err := c.checkRecord(revoked); err != nil {
		return err
	}
	a.remember(c)
	return nil
}

// checkRecord returns an error unless the token's record allows it. revoked says
// whether the token, or a copy that it derives from, is revoked.
func (c *candidate) checkRecord(revoked bool) error {
	switch {
	case revoked:
		return errors.TokenRevoked()
	case c.token.Version() != 1 && c.token.Subject() != c.key.Subject:
		return errors.TokenSubjectInvalid()
	}
	return nil
}

// recognizes reports whether the cache holds the signature as valid under the
// secret just looked up. Tokens with revoked copies are never recognized: the
// check for these copies needs every link of the HMAC chain.
func (a *Authority) recognizes(c *candidate) bool {
	if c.recognized == nil {
		return false
	}
	if len(c.key.RevokedTails) == 0 && c.recognized.secret.Equal(c.key.Secret) {
		return true
	}
	a.recognition.Remove(func(e *recognized) bool { return e == c.recognized })
	c.recognized = nil
	return false
}

// remember adds a token whose signature has just verified to the cache.
func (a *Authority) remember(c *candidate) {
	if c.recognized != nil || len(c.key.RevokedTails) > 0 || len(c.token.thirdParty) > 0 || !a.recognition.ShouldAdd(c.presented) {
		return
	}
	c.caveats = a.Vocabulary().ParseList(c.token.caveats)
	a.recognition.add(c.presented, *c.token, c.caveats, c.key.Secret)
}

// key looks up the key that must have signed the token. Errors: tokenInvalid;
// tokenRevoked for a past generation.
//
// For a token without a key, the HMAC chain is computed under a random secret.
// The computation takes time that grows with the token's length; without it,
// the response time would reveal whether the token id or the subject exists.
func (a *Authority) key(ctx context.Context, t *Token) (key store.Key, err error) {
	temporary := t.Generation() > 0
	if temporary {
		key, err = a.store.TemporaryKey(ctx, t.Subject())
	} else {
		key, err = a.store.NamedKey(ctx, t.ID())
	}
	var refused error
	switch {
	case errors.Is(err, errors.IDNotFound):
		refused = errors.TokenInvalid()
	case err != nil:
		return store.Key{}, fmt.Errorf("looking up the key of a token: %w", err)
	case key.Secret.IsSealed():
		return store.Key{}, fmt.Errorf("looking up the key of a token: %w", store.ErrSealed)
	case temporary && t.Generation() < key.Generation:
		refused = errors.TokenRevoked()
	case temporary && t.Generation() > key.Generation:
		refused = errors.TokenInvalid()
	default:
		return key, nil
	}
	t.chain(dummySecret(), nil)
	return store.Key{}, refused
}

// dummySecret returns a secret that has signed no token, random in each
// process.
var dummySecret = sync.OnceValue(func() store.Secret {
	b := make([]byte, secretSize)
	_, _ = rand.Read(b) // never fails
	return store.NewSecret(hex.EncodeToString(b))
})
