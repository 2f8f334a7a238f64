package rest

import (
	"net/http"

	"github.com/onezone-go/onezone/macaroon"
)

// createTemporary creates a temporary token of the owner.
func (c *call) createTemporary() error {
	in := c.input()
	g := macaroon.Grant{Subject: c.owner, Caveats: in.caveats("caveats"), Type: in.tokenType("type"), Parent: c.parent()}
	if in.err != nil {
		return in.err
	}
	t, err := c.authority.Issue(c.r.Context(), g)
	if err != nil {
		return err
	}
	c.answerToken(http.StatusCreated, t)
	return nil
}

// generation answers with the generation of the owner's temporary tokens.
func (c *call) generation() error {
	n, err := c.authority.TemporaryGeneration(c.r.Context(), c.owner)
	if err != nil {
		return err
	}
	respond(c.w, http.StatusOK, map[string]any{"generation": n})
	return nil
}

// deleteTemporary revokes all temporary tokens of the owner.
func (c *call) deleteTemporary() error {
	return c.answerEmpty(c.authority.RevokeTemporary(c.r.Context(), c.owner))
}
