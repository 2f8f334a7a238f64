package macaroon

import (
	"crypto/subtle"
	"slices"

	"github.com/onezone-go/onezone/internal/mac"
	"github.com/onezone-go/onezone/store"
)

// signature is one link of the HMAC chain, and the key of the next.
type signature = [mac.Size]byte

// genuine reports whether the token is signed with the key, and whether it is a
// revoked copy or derived from one. Forged tokens cost no comparisons with
// revoked copies.
func (t *Token) genuine(key store.Key) (ok, ofRevokedCopy bool) {
	if len(key.RevokedTails) == 0 {
		return t.chain(key.Secret, nil), false
	}
	links := make([]signature, 0, len(t.caveats)+1)
	ok = t.chain(key.Secret, func(link signature) { links = append(links, link) })
	return ok, ok && slices.ContainsFunc(links, func(link signature) bool {
		return slices.Contains(key.RevokedTails, store.TailOf(link[:]))
	})
}

// chain walks the links of the token from its secret. Where passed is not nil
// it is called with every link that is a copy's signature: the bare identifier's
// first, the token's own last. ok is false where the token does not end in the
// signature that it carries, or holds a third-party caveat, for which there is
// no discharge here.
func (t *Token) chain(secret store.Secret, passed func(signature)) (ok bool) {
	if secret.Root() == nil || t.IsZero() || len(t.third) > 0 {
		return false
	}
	var h mac.Hasher
	link := secret.Root().First(&h, t.identifier.text)
	if passed != nil {
		passed(link)
	}
	for _, text := range t.caveats {
		link = h.Sum(&link, text)
		if passed != nil {
			passed(link)
		}
	}
	return subtle.ConstantTimeCompare(link[:], []byte(t.signature())) == 1
}
