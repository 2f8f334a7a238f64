package rest

import (
	"net/http"
	"strconv"

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
	return c.answerToken(http.StatusCreated, t, err)
}

// generation answers with the generation of the owner's temporary tokens.
func (c *call) generation() error {
	n, err := c.authority.TemporaryGeneration(c.r.Context(), c.owner)
	if err != nil {
		return err
	}
	respondEncoded(c.w, http.StatusOK, append(strconv.AppendInt([]byte(`{"generation":`), n, 10), '}'))
	return nil
}

// deleteTemporary revokes all temporary tokens of the owner.
func (c *call) deleteTemporary() error {
	return c.answerEmpty(c.authority.RevokeTemporary(c.r.Context(), c.owner))
}
