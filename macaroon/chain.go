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
// signature. It says nothing about the discharges of third-party caveats.
func (t *Token) chain(secret store.Secret, visit func(signature)) (ok bool) {
	if secret.Root() == nil || t.IsZero() {
		return false
	}
	var h mac.Hasher
	first := secret.Root().First(&h, t.identifier.text)
	link := first
	if visit != nil {
		visit(link)
	}
	third := t.thirdParty
	for i, text := range t.caveats {
		if len(third) > 0 && third[0].Index == i {
			link, third = h.SumPair(&link, third[0].Verification, text), third[1:]
		} else {
			link = h.Sum(&link, text)
		}
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
