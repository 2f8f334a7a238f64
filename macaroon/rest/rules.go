package rest

import (
	"fmt"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// rule decides whether a client that sent credentials may use a route, and finds
// out what the route is about. Its error is what to answer instead of yes or no.
type rule func(*call) (bool, error)

// managesTokens is for users with the admin privilege for tokens.
func managesTokens(c *call) (bool, error) {
	if c.rights == nil || c.client.Subject.Type != caveat.SubjectUser {
		return false, nil
	}
	ok, err := c.rights.ManagesTokens(c.r.Context(), c.client.Subject)
	return ok, asking(err)
}

// isUser is for users, about their own tokens. For a Oneprovider there is no such
// user.
func isUser(c *call) (bool, error) {
	if c.owner = c.client.Subject; c.owner.Type != caveat.SubjectUser {
		return false, errors.NotFound()
	}
	return true, nil
}

// rule is for the holder itself, and for who may act for it.
func (h holderRoutes) rule(seesGeneration bool) rule {
	return func(c *call) (bool, error) {
		id := c.pathValue(h.id)
		c.owner = caveat.User(id)
		if h.kind == "provider" {
			c.owner = caveat.Provider(id)
		}
		allows := (*call).actsFor
		if seesGeneration {
			allows = (*call).servesOrBelongsTo
		}
		allowed, err := allows(c, c.owner)
		if err == nil && !allowed {
			allowed, err = managesTokens(c)
		}
		return allowed, err
	}
}

// ownsToken is for the subject of the token that the path names, and for who may
// act for it.
func ownsToken(c *call) (bool, error) { return c.findToken((*call).actsFor) }

// seesStatus is for the subject of the token, and for those who serve it.
func seesStatus(c *call) (bool, error) { return c.findToken((*call).servesOrBelongsTo) }

// findToken finds out whose the token is that the path names. A client that would
// not be allowed to see it gets the same answer when there is none, in a time that
// does not depend on the record, so that ids cannot be probed.
func (c *call) findToken(allows func(*call, caveat.Subject) (bool, error)) (bool, error) {
	c.tokenID = c.r.PathValue("id")
	owner, missing := c.authority.Owner(c.r.Context(), c.tokenID)
	switch {
	case missing == nil:
		if allowed, err := allows(c, owner); allowed || err != nil {
			return allowed, err
		}
	case !errors.Is(missing, errors.IDNotFound):
		return false, missing
	}
	manages, err := managesTokens(c)
	if err == nil && manages {
		err = missing
	}
	return manages, err
}

// actsFor tells who may manage the tokens of a holder: itself, and for a
// Oneprovider users who may change its cluster.
func (c *call) actsFor(owner caveat.Subject) (bool, error) {
	client := c.client.Subject
	switch {
	case client == owner:
		return true, nil
	case owner.Type != caveat.SubjectProvider || client.Type != caveat.SubjectUser || c.rights == nil:
		return false, nil
	}
	ok, err := c.rights.UpdatesCluster(c.r.Context(), client, owner.ID)
	return ok, asking(err)
}

// servesOrBelongsTo tells who may know whether tokens of a holder are revoked:
// itself, a Oneprovider that serves the user, and members of the Oneprovider's
// cluster.
func (c *call) servesOrBelongsTo(owner caveat.Subject) (ok bool, err error) {
	client := c.client.Subject
	switch {
	case client == owner:
		return true, nil
	case c.rights == nil:
	case owner.Type == caveat.SubjectUser && client.Type == caveat.SubjectProvider:
		ok, err = c.rights.InProvider(c.r.Context(), owner, client.ID)
	case owner.Type == caveat.SubjectProvider && client.Type == caveat.SubjectUser:
		ok, err = c.rights.InCluster(c.r.Context(), client, owner.ID)
	}
	return ok, asking(err)
}

func asking(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("asking for the rights of a client: %w", err)
}
