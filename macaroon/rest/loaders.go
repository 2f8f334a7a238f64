package rest

import (
	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// loader finds the target of a request of a client with credentials, for a rule
// to decide. It decides nothing itself. Its error is answered whatever the rule
// would say, so it must not depend on anything that the client may not know.
type loader func(*call) (target, error)

// target is the subject of a request: an owner of tokens and perhaps one token.
type target struct {
	owner   caveat.Subject // owner of the tokens; zero: no particular one, or unknown
	tokenID string         // of the token that the path names
	// missing is notFound if no token has that id. Only clients that may use
	// the route for every owner get it, so that ids cannot be probed.
	missing error
}

// allOwners returns the target for the tokens of all owners.
func allOwners(*call) (target, error) { return target{}, nil }

// clientAsUser returns the target for the client itself. The error is notFound
// for a Oneprovider, which is not a user.
func clientAsUser(c *call) (target, error) {
	if c.client.Subject.Type != caveat.SubjectUser {
		return target{}, errors.NotFound()
	}
	return target{owner: c.client.Subject}, nil
}

// load returns the target for the tokens of the holder that the path names.
func (h holderRoutes) load(c *call) (target, error) {
	id := c.pathValue(h.id)
	if h.kind == "provider" {
		return target{owner: caveat.Provider(id)}, nil
	}
	return target{owner: caveat.User(id)}, nil
}

// namedToken returns the target for the token whose id is in the path. It reads
// only the owner, in a time that does not depend on the rest of the record.
func namedToken(c *call) (target, error) { return c.ownedToken(c.r.PathValue("id")) }

func (c *call) ownedToken(id string) (target, error) {
	owner, err := c.authority.Owner(c.r.Context(), id)
	if errors.Is(err, errors.IDNotFound) {
		return target{tokenID: id, missing: err}, nil
	}
	return target{owner: owner, tokenID: id}, err
}

// claimedToken returns the target for the named token whose text is in the
// path, with the owner that the text claims. A token of version 1 claims no
// owner and counts as the client's. The error is notFound for a text that is
// not a named token.
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
