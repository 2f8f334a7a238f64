package rest

import (
	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// loader finds out what a request of a client with credentials is about, for a
// rule to decide about, and decides nothing itself. Its error is what to answer
// whatever the rule says: it must not depend on what clients may not know.
type loader func(*call) (target, error)

// target is what a request is about.
type target struct {
	owner   caveat.Subject // whose tokens; zero: nobody's in particular, or not known
	tokenID string         // of the token that the path names
	// missing is notFound where no token has that id. It is told only to clients
	// that may use the route whoever the owner is, so that ids cannot be probed.
	missing error
}

// everybodys is about the tokens of all owners.
func everybodys(*call) (target, error) { return target{}, nil }

// clientAsUser is about the client itself. For a Oneprovider there is no such
// user: notFound.
func clientAsUser(c *call) (target, error) {
	if c.client.Subject.Type != caveat.SubjectUser {
		return target{}, errors.NotFound()
	}
	return target{owner: c.client.Subject}, nil
}

// load is about the tokens of the holder that the path names.
func (h holderRoutes) load(c *call) (target, error) {
	id := c.pathValue(h.id)
	if h.kind == "provider" {
		return target{owner: caveat.Provider(id)}, nil
	}
	return target{owner: caveat.User(id)}, nil
}

// namedToken is about the token whose id the path has. Its owner is read alone, in
// a time that does not depend on what else the record holds.
func namedToken(c *call) (target, error) { return c.ownedToken(c.r.PathValue("id")) }

func (c *call) ownedToken(id string) (target, error) {
	owner, err := c.authority.Owner(c.r.Context(), id)
	if errors.Is(err, errors.IDNotFound) {
		return target{tokenID: id, missing: err}, nil
	}
	return target{owner: owner, tokenID: id}, err
}

// claimedToken is about the named token whose text the path has, as one of the
// owner that the text claims. A token of version 1 claims nothing, and counts as
// the client's. What is no text of a named token is notFound.
func claimedToken(c *call) (target, error) {
	user, err := clientAsUser(c)
	if err != nil {
		return target{}, err
	}
	t, err := c.authority.Parse(c.r.PathValue("tid"))
	if err != nil || t.Generation() > 0 {
		return target{}, errors.NotFound()
	}
	if t.Version() == 1 {
		return target{owner: user.owner, tokenID: t.ID()}, nil
	}
	return target{owner: t.Subject(), tokenID: t.ID()}, nil
}
