package macaroon

import (
	"crypto/subtle"
	"slices"

	"github.com/onezone-go/onezone/internal/mac"
	"github.com/onezone-go/onezone/store"
)

// signature is one link of the HMAC chain and the key of the next link.
type signature = [mac.Size]byte

// genuine reports whether the key signed the token, and whether the token is a
// revoked copy or derived from one. Revoked copies are compared only after the
// signature has verified, so a forged token costs no comparisons.
func (t *Token) genuine(key *store.Key) (ok, ofRevokedCopy bool) {
	if len(key.RevokedTails) == 0 {
		return t.chain(key.Secret, nil), false
	}
	links := make([]signature, 0, len(t.caveats)+1)
	ok = t.chain(key.Secret, func(link signature) { links = append(links, link) })
	return ok, ok && slices.ContainsFunc(links, func(link signature) bool {
		return slices.Contains(key.RevokedTails, store.TailOf(link[:]))
	})
}

// chain computes the HMAC chain of the token from its secret. It calls visit,
// if not nil, with each link: first the signature of the bare identifier, then
// one after each caveat. ok reports whether the last link equals the token's
// signature. It is false for tokens with third-party caveats, because chain has
// no discharges.
func (t *Token) chain(secret store.Secret, visit func(signature)) (ok bool) {
	if secret.Root() == nil || t.IsZero() || len(t.thirdParty) > 0 {
		return false
	}
	var h mac.Hasher
	first := secret.Root().First(&h, t.identifier.text)
	link := first
	if visit != nil {
		visit(link)
	}
	for _, text := range t.caveats {
		link = h.Sum(&link, text)
		if visit != nil {
			visit(link)
		}
	}
	ok = subtle.ConstantTimeCompare(link[:], []byte(t.signature())) == 1
	if ok {
		secret.Root().Remember(t.identifier.text, first)
	}
	return ok
}
