package rest

import (
	"net/http"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

// createLegacy creates a client token of the user for old clients.
func (c *call) createLegacy() error {
	t, err := c.authority.IssueLegacy(c.r.Context(), c.owner, c.parent())
	return c.answerToken(http.StatusOK, t, err)
}

// namedTokens is the resource of the list of a user's named tokens.
var namedTokens = caveat.GRI{Type: "token", ID: "null", Aspect: "user_named_tokens,{ME}", Scope: "private"}

// listLegacy answers with the texts of the access tokens of the user.
func (c *call) listLegacy() error {
	if err := c.caveatsAllow(caveat.Get, namedTokens); err != nil {
		return err
	}
	all := store.Query{Subject: c.owner}
	if p := c.parent(); p != nil && p.IsConfined() {
		// Tokens that cannot carry the caveats of the client's token are
		// reported before the response begins.
		for q, done := all, false; !done; done = q.After.IsZero() {
			var err error
			if _, q.After, err = c.clientTokens(q); err != nil {
				return err
			}
		}
	}
	return stream(c, c.clientTokens, all)
}

// clientTokens returns the texts of the access tokens on a page.
func (c *call) clientTokens(q store.Query) (texts []string, next store.Cursor, err error) {
	if err := c.slot.reserve(c.r.Context(), records, pageMemory); err != nil {
		return nil, store.Cursor{}, err
	}
	defer c.slot.release(records)
	page, next, err := c.authority.List(c.r.Context(), q)
	for _, n := range page {
		if n.Type().Class() != macaroon.Access {
			continue
		}
		t, err := c.authority.Inherit(n.Token, c.parent())
		if err != nil {
			return nil, store.Cursor{}, err
		}
		texts = append(texts, t.String())
	}
	return texts, next, err
}

// deleteLegacy removes the named token whose text, or the text of a confined
// copy, is in the path. It does not check the signature.
//
// The route has already refused clients that may not manage the tokens of the
// owner that the text claims. Another owner's record is answered like a missing
// one.
func (c *call) deleteLegacy() error {
	t, err := c.ownedToken(c.tokenID)
	if err == nil {
		err = c.decide(managesOwner, t, errors.NotFound())
	}
	if err != nil {
		return err
	}
	return c.answerEmpty(c.authority.Delete(c.r.Context(), t.tokenID))
}
