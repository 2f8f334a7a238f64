package rest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

// createNamed creates a named token of the owner.
func (c *call) createNamed() error {
	// The other members depend on the type. It is validated in its place in the
	// order, or first if it is an object but not a type.
	early := c.input()
	g := macaroon.Grant{Subject: c.owner, Type: early.tokenType("type"), Parent: c.parent()}
	if raw := c.body.Get("type"); early.err != nil && raw[0] == '{' {
		return early.err
	}
	invite, _ := g.Type.Invitation()

	in := c.input()
	name := in.name("name")
	g.Caveats = in.caveats("caveats")
	g.Custom = in.object("customMetadata")
	if allowed := invite.AllowedPrivileges(); allowed != nil {
		g.Privileges = in.privileges("privileges", allowed)
	}
	g.Revoked = in.boolean("revoked")
	in.tokenType("type")
	g.Bait = in.bait("bait")
	if in.err != nil {
		return in.err
	}
	if invite != 0 {
		g.UsageLimit = in.usageLimit("usageLimit")
	}
	if in.err != nil {
		// The right to invite is checked together with the type, before the
		// usage limit. If the limit is valid, IssueNamed checks the right.
		if err := c.authority.CheckInvitation(c.r.Context(), g); err != nil {
			return err
		}
		return in.err
	}
	t, err := c.authority.IssueNamed(c.r.Context(), name, g)
	if err != nil {
		return err
	}
	c.w.Header().Set("Location", c.origin+Prefix+"/tokens/named/"+url.PathEscape(t.ID()))
	respond(c.w, http.StatusCreated, map[string]any{"tokenId": t.ID(), "token": t.String()})
	return nil
}

// get answers with the token that the path names.
func (c *call) get() error {
	n, err := c.record()
	return c.show(n, err)
}

// record reads the token that the path names.
func (c *call) record() (macaroon.Named, error) {
	if err := c.slot.reserve(c.r.Context(), records, recordMemory); err != nil {
		return macaroon.Named{}, err
	}
	return c.authority.Get(c.r.Context(), c.tokenID)
}

// getByName answers with the token of the owner that has the name.
func (c *call) getByName() error {
	if err := c.slot.reserve(c.r.Context(), records, recordMemory); err != nil {
		return err
	}
	n, err := c.authority.GetByName(c.r.Context(), c.owner, c.r.PathValue("name"))
	return c.show(n, err)
}

// show answers with the token and its record, or returns err.
func (c *call) show(n macaroon.Named, err error) error {
	if err == nil {
		n.Token, err = c.authority.Inherit(n.Token, c.parent())
	}
	if err != nil {
		return err
	}
	shown := c.shown(n)
	shown["token"] = n.Token.String()
	return c.answer(shown, nil)
}

// shown returns the record of a token in the form of the API, without the text
// of the token.
func (c *call) shown(n macaroon.Named) map[string]any {
	meta := map[string]any{"creationTime": n.Created.Unix(), "custom": custom(n)}
	if invite, _ := n.Type().Invitation(); invite != 0 {
		meta["privileges"] = n.Privileges
		meta["usageCount"] = n.UsageCount
		if meta["usageLimit"] = "infinity"; n.UsageLimit > 0 {
			meta["usageLimit"] = n.UsageLimit
		}
	}
	shown := map[string]any{
		"id": n.ID(), "name": n.Name, "subject": n.Subject, "type": n.Type(), "caveats": c.authority.Vocabulary().ParseList(n.Caveats()).Caveats(),
		"metadata": meta, "revoked": n.Revoked, "parentTokenId": nil,
	}
	if n.Parent != "" {
		shown["parentTokenId"] = n.Parent
	}
	shown["serverCaveats"], shown["serverCaveatsAdded"] = c.additions(n.Tightened)
	if !c.isConfined() { // others must not learn which tokens are canaries
		shown["bait"] = baitName(n.Bait)
	}
	if n.LastUse != nil {
		shown["lastUse"] = lastUse(*n.LastUse)
	}
	return shown
}

func custom(n macaroon.Named) json.RawMessage {
	if n.Custom == nil {
		return json.RawMessage("{}")
	}
	return n.Custom
}

// status reports whether the token that the path names is revoked.
func (c *call) status() error {
	n, err := c.record()
	return c.answer(map[string]any{"revoked": n.Revoked}, err)
}

// patch changes the token that the path names.
func (c *call) patch() error {
	in := c.input()
	var change macaroon.Change
	change.Custom = in.object("customMetadata")
	if in.has("name") {
		change.Name = new(in.name("name"))
	}
	if in.has("revoked") {
		change.Revoked = new(in.boolean("revoked"))
	}
	if in.has("serverCaveats") {
		change.Tightened = in.caveats("serverCaveats")
	}
	if in.has("bait") {
		change.Bait = new(in.bait("bait"))
	}
	change.Client = c.client.Token
	if in.err != nil {
		return in.err
	}
	// The store reads the record to change it.
	if err := c.slot.reserve(c.r.Context(), records, recordMemory); err != nil {
		return err
	}
	return c.answerEmpty(c.authority.Update(c.r.Context(), c.tokenID, change))
}

// delete removes the token that the path names, and does what the query says
// with the tokens that were minted with it.
func (c *call) delete() error {
	ctx, remove := c.r.Context(), c.authority.Delete
	switch c.r.URL.Query().Get("children") {
	case "", "keep":
	case "revoke":
		if err := c.authority.RevokeFamily(ctx, c.tokenID); err != nil {
			return err
		}
	case "delete":
		remove = c.authority.DeleteFamily
	default:
		return errors.BadValueNotAllowed("children", "keep", "revoke", "delete")
	}
	return c.answerEmpty(remove(ctx, c.tokenID))
}

// revokeCopy revokes a confined copy of the token that the path names, for ever.
// The other copies remain valid.
func (c *call) revokeCopy() error {
	in := c.input()
	t := in.token("token")
	if in.err == nil && t.ID() != c.tokenID {
		in.err = errors.BadDataHint("token", "it is not a copy of this token")
	}
	if in.err != nil {
		return in.err
	}
	if err := c.slot.reserve(c.r.Context(), records, recordMemory); err != nil {
		return err
	}
	return c.answerEmpty(c.authority.RevokeConfined(c.r.Context(), t.Token))
}

// answerEmpty answers with an empty success, or returns err.
func (c *call) answerEmpty(err error) error {
	if err == nil {
		c.w.WriteHeader(http.StatusNoContent)
	}
	return err
}

// list and listAll answer with the ids of the tokens of the owner, or of all
// owners.
func (c *call) list() error    { return c.answerIDs(c.owner) }
func (c *call) listAll() error { return c.answerIDs(caveat.Subject{}) }

func (c *call) answerIDs(owner caveat.Subject) error {
	since, err := c.unusedSince()
	if err != nil {
		return err
	}
	return stream(c, func(q store.Query) ([]string, store.Cursor, error) {
		if since.IsZero() {
			return c.authority.ListIDs(c.r.Context(), q)
		}
		return c.authority.ListUnusedIDs(c.r.Context(), q, since)
	}, store.Query{Subject: owner, Limit: store.MaxPage})
}

// listRecords answers with the records of the client's tokens. They lack the
// texts of the tokens, so that there is nothing to confine by the caveats of the
// client's own token.
func (c *call) listRecords() error {
	since, err := c.unusedSince()
	if err != nil {
		return err
	}
	return stream(c, func(q store.Query) ([]map[string]any, store.Cursor, error) {
		return c.ownRecords(q, since)
	}, store.Query{Subject: c.owner, Limit: store.MaxPage})
}

func (c *call) ownRecords(q store.Query, since time.Time) (list []map[string]any, next store.Cursor, err error) {
	if err := c.slot.reserve(c.r.Context(), records, pageMemory); err != nil {
		return nil, store.Cursor{}, err
	}
	defer c.slot.release(records)
	page, next, err := c.authority.List(c.r.Context(), q)
	for _, n := range page {
		if since.IsZero() || n.UnusedSince(since) {
			list = append(list, c.shown(n))
		}
	}
	return list, next, err
}

// deleteList removes all named tokens of the owner.
func (c *call) deleteList() error {
	return c.answerEmpty(c.authority.DeleteAll(c.r.Context(), c.owner))
}
