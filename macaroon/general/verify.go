package general

import (
	"context"
	"crypto/subtle"
	"fmt"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/mac"
	"github.com/onezone-go/onezone/store"
)

// Verify verifies the macaroon with its root key, and returns its caveats. It
// checks the signature first, and then each caveat in order, in the vocabulary
// of the request. It has no records, so it cannot find out whether the macaroon
// is revoked, and it does not verify the service and consumer tokens of the
// request.
//
// Errors: tokenInvalid for a wrong signature and for a macaroon with third-party
// caveats; tokenCaveatUnknown {caveat}; tokenCaveatUnverified {caveat}; the
// operational error [store.ErrSealed] for a sealed key.
func (m Macaroon) Verify(ctx context.Context, key store.Secret, req caveat.Request) (caveat.List, error) {
	if key.IsSealed() {
		return caveat.List{}, fmt.Errorf("verifying a macaroon: %w", store.ErrSealed)
	}
	if !m.isGenuine(key) {
		return caveat.List{}, errors.TokenInvalid()
	}
	caveats := req.Vocabulary.ParseList(m.content.Caveats)
	if _, err := caveats.Check(ctx, caveat.UseAccess, &req); err != nil {
		return caveat.List{}, err
	}
	return caveats, nil
}

// isGenuine reports whether the key signed the macaroon.
func (m Macaroon) isGenuine(key store.Secret) bool {
	if m.IsZero() || key.IsZero() || len(m.content.ThirdParty) > 0 {
		return false
	}
	var h mac.Hasher
	link := key.Root().First(&h, m.content.Identifier)
	for _, text := range m.content.Caveats {
		link = h.Sum(&link, text)
	}
	return subtle.ConstantTimeCompare(link[:], []byte(m.content.signature)) == 1
}
