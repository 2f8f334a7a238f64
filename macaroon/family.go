package macaroon

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// Limits of families.
const (
	maxFamily      = 100_000 // tokens that RevokeFamily and DeleteFamily reach
	maxFamilyShown = 1000    // tokens in the tree of Family
	maxFamilyDepth = 16      // levels in the tree of Family
)

// Relative is a named token in the tree of a family.
type Relative struct {
	ID       string
	Name     string
	Subject  caveat.Subject
	Type     Type
	Created  time.Time // in whole seconds
	Revoked  bool
	Children []Relative // named tokens that were minted with it, in order of creation
	// Truncated reports that Children lacks some tokens, because the family is
	// too large.
	Truncated bool
}

// Family returns the named token with the id, and the named tokens that were
// minted with it, at any depth: those of [Grant].Parent. They may have other
// subjects. The tree has at most 1000 tokens and 16 levels. Tokens whose secret
// cannot be opened, and their children, are left out. Temporary tokens have no
// record and do not appear; what those of a named token minted are its children.
// The error is notFound if the id does not exist.
func (a *Authority) Family(ctx context.Context, id string) (Relative, error) {
	n, err := a.Get(ctx, id)
	if err != nil {
		return Relative{}, err
	}
	root := relative(n)
	seen, level := map[string]bool{id: true}, []*Relative{&root}
	for depth := 1; len(level) > 0; depth++ {
		var next []*Relative
		for _, r := range level {
			if err := a.addChildren(ctx, r, seen, depth < maxFamilyDepth); err != nil {
				return Relative{}, err
			}
			for i := range r.Children {
				next = append(next, &r.Children[i])
			}
		}
		level = next
	}
	return root, nil
}

// relative returns the part of the record that a tree shows. The rest of all
// records would take too much memory.
func relative(n Named) Relative {
	return Relative{ID: n.ID(), Name: n.Name, Subject: n.Subject, Type: n.Type(), Created: n.Created, Revoked: n.Revoked}
}

// addChildren adds the tokens that were minted with r and not seen yet, as long
// as the tree has room.
func (a *Authority) addChildren(ctx context.Context, r *Relative, seen map[string]bool, room bool) error {
	q := store.Query{Parent: r.ID}
	for {
		page, next, err := a.List(ctx, q)
		if err != nil {
			return err
		}
		for _, child := range page {
			switch {
			case seen[child.ID()]:
			case !room || len(seen) >= maxFamilyShown:
				r.Truncated = true
				return nil
			default:
				seen[child.ID()] = true
				r.Children = append(r.Children, relative(child))
			}
		}
		if q.After = next; next.IsZero() {
			return nil
		}
	}
}

// RevokeFamily revokes the named token with the id and all named tokens that
// were minted with it, at any depth and of any subject. A token that is being
// minted with one of them at the same time is not issued. id may be that of a
// temporary token or of a deleted token that has minted others.
//
// Temporary tokens that were minted with them have no record, so they remain
// valid until they expire, and mint nothing more. [Authority.RevokeTemporary]
// revokes those of a subject.
//
// Errors: notFound if the id does not exist and no token was minted with it;
// limitReached if the family has more than 100,000 tokens, of which some are
// then revoked.
func (a *Authority) RevokeFamily(ctx context.Context, id string) error {
	return a.walkFamily(ctx, id, a.Revoke)
}

// DeleteFamily deletes the named token with the id and all named tokens that
// were minted with it. It revokes all of them first. Errors: those of
// RevokeFamily.
func (a *Authority) DeleteFamily(ctx context.Context, id string) error {
	var members []string
	err := a.walkFamily(ctx, id, func(ctx context.Context, id string) error {
		members = append(members, id)
		return a.Revoke(ctx, id)
	})
	if err != nil {
		return err
	}
	for i := len(members) - 1; i >= 0; i-- { // so that a failure leaves a family
		if err := a.Delete(ctx, members[i]); err != nil && !errors.Is(err, errors.IDNotFound) {
			return err
		}
	}
	return nil
}

// walkFamily calls visit with the id and then with the ids of all tokens that
// were minted with it, parents first. Each parent is visited before its children
// are listed, so that none escapes: see [Authority.IssueNamed].
func (a *Authority) walkFamily(ctx context.Context, id string, visit func(ctx context.Context, id string) error) error {
	seen, missing := map[string]bool{id: true}, false
	for queue := []string{id}; len(queue) > 0; queue = queue[1:] {
		parent := queue[0]
		switch err := visit(ctx, parent); {
		case errors.Is(err, errors.IDNotFound):
			missing = missing || parent == id // others were deleted concurrently
		case err != nil:
			return err
		}
		q := store.Query{Parent: parent, Limit: store.MaxPage}
		for {
			page, next, err := a.ListIDs(ctx, q)
			if err != nil {
				return err
			}
			for _, child := range page {
				if seen[child] {
					continue
				}
				if len(seen) >= maxFamily {
					return errors.LimitReached(maxFamily, "tokens in a family")
				}
				seen[child] = true
				queue = append(queue, child)
			}
			if q.After = next; next.IsZero() {
				break
			}
		}
	}
	if missing && len(seen) == 1 {
		return errors.NotFound()
	}
	return nil
}

// originSeparator is in the ids of temporary tokens that were minted with a
// named token, or with a temporary one of its family: before the id of the named
// token. The id is signed, so holders cannot leave the family.
const originSeparator = "-of-"

// origin returns the id of the named token that is the token, or that a
// temporary token derives from. ok is false if there is none.
func (a *Auth) origin() (id string, ok bool) {
	if a == nil {
		return "", false
	}
	if !a.temporary {
		return a.TokenID, true
	}
	_, id, ok = strings.Cut(a.TokenID, originSeparator)
	return id, ok
}

// parentOf returns the id of the token with which a token is minted; "" for
// none. A log-in is not a token that its user minted.
func (g Grant) parentOf() string {
	if g.Parent == nil {
		return ""
	}
	if id, ok := g.Parent.origin(); ok {
		return id
	}
	if _, logIn := g.Parent.LogIn(); logIn {
		return ""
	}
	return g.Parent.TokenID
}

// checkParent checks, after a token was stored, that the named token that minted
// it was not revoked or deleted concurrently. A revocation of the family that
// does not find the new token was here before.
func (a *Authority) checkParent(ctx context.Context, g Grant) error {
	id, ok := g.Parent.origin()
	if !ok {
		return nil
	}
	parent, err := a.store.GetToken(ctx, id)
	switch {
	case errors.Is(err, errors.IDNotFound):
		return errors.Unauthorized(errors.TokenInvalid())
	case err != nil:
		return fmt.Errorf("reading the token that mints another: %w", err)
	case parent.Revoked:
		return errors.Unauthorized(errors.TokenRevoked())
	}
	return nil
}
