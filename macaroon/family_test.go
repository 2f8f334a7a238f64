package macaroon_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

// authOf returns the Auth of the token.
func (z *zone) authOf(t testing.TB, token macaroon.Token) *macaroon.Auth {
	t.Helper()
	auth, err := z.VerifyAccess(context.Background(), token.String(), from(inside))
	require.NoError(t, err)
	return &auth
}

// child issues a named token with the parent.
func (z *zone) child(t testing.TB, subject caveat.Subject, parent macaroon.Token) macaroon.Token {
	t.Helper()
	z.mu.Lock()
	name := fmt.Sprintf("child %d", len(z.events))
	z.mu.Unlock()
	token, err := z.IssueNamed(context.Background(), name, macaroon.Grant{Subject: subject, Type: macaroon.AccessToken(), Parent: z.authOf(t, parent)})
	require.NoError(t, err)
	return token
}

// shape returns the ids of a tree, as ID(CHILD CHILD).
func shape(r macaroon.Relative) string {
	text := r.ID
	if len(r.Children) > 0 || r.Truncated {
		text += "("
		for i, c := range r.Children {
			if i > 0 {
				text += " "
			}
			text += shape(c)
		}
		if r.Truncated {
			text += " ..."
		}
		text += ")"
	}
	return text
}

func TestNamedTokensKnowTheirParent(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	parent, temporary := z.access(t), z.temporary(t, alice, macaroon.AccessToken())
	copied := confine(t, parent, campus)
	legacy, err := z.IssueLegacy(t.Context(), alice, z.authOf(t, parent))
	require.NoError(t, err)
	logIn, err := z.IssueLogIn(t.Context(), alice, start)
	require.NoError(t, err)
	for _, c := range []struct {
		token  macaroon.Token
		parent string
	}{
		{parent, ""},
		{z.child(t, alice, parent), parent.ID()},
		{z.child(t, alice, copied), parent.ID()},
		{z.child(t, bob, parent), parent.ID()},
		{z.child(t, alice, temporary), temporary.ID()},
		{legacy, parent.ID()},
		{z.child(t, alice, logIn), ""},
	} {
		n, err := z.Get(t.Context(), c.token.ID())
		require.NoError(t, err)
		require.Equal(t, c.parent, n.Parent)
	}
}

func TestFamilyIsTheTreeOfWhatATokenMinted(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	root := z.access(t)
	a, b := z.child(t, alice, root), z.child(t, bob, root)
	if a.ID() > b.ID() {
		a, b = b, a // both are of the same second
	}
	c := z.child(t, alice, a)
	z.access(t)
	family, err := z.Family(t.Context(), root.ID())
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("%s(%s(%s) %s)", root.ID(), a.ID(), c.ID(), b.ID()), shape(family))
	requireID(t, errors.IDNotFound, second(z.Family(t.Context(), "unknown")))
	family, err = z.Family(t.Context(), c.ID())
	require.NoError(t, err)
	require.Equal(t, c.ID(), shape(family))
}

// importChain imports tokens that each have the one before as parent.
func importFamily(t *testing.T, z *zone, parents map[string]string) {
	t.Helper()
	var records []store.Record
	for id, parent := range parents {
		records = append(records, store.Record{Token: &store.Token{
			ID: id, Name: id, Version: 2, Subject: alice, Type: "act", Secret: secret, Parent: parent,
		}})
	}
	require.NoError(t, z.store.Import(t.Context(), records))
}

func TestFamilyIsBounded(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	deep, wide := map[string]string{}, map[string]string{"wide": ""}
	for i := range 20 {
		deep[fmt.Sprint("deep", i)] = fmt.Sprint("deep", i-1)
	}
	for i := range 1500 {
		wide[fmt.Sprintf("wide%04d", i)] = "wide"
	}
	importFamily(t, z, deep)
	importFamily(t, z, wide)
	family, err := z.Family(t.Context(), "deep0")
	require.NoError(t, err)
	levels := 1
	for ; len(family.Children) > 0; levels++ {
		family = family.Children[0]
	}
	require.Equal(t, 16, levels)
	require.True(t, family.Truncated)
	family, err = z.Family(t.Context(), "wide")
	require.NoError(t, err)
	require.Len(t, family.Children, 999)
	require.True(t, family.Truncated)
	// A revocation reaches all.
	require.NoError(t, z.RevokeFamily(t.Context(), "wide"))
	require.NoError(t, z.RevokeFamily(t.Context(), "deep0"))
	for _, id := range []string{"wide1499", "deep19"} {
		n, err := z.Get(t.Context(), id)
		require.NoError(t, err)
		require.True(t, n.Revoked, id)
	}
}

// No authority makes a cycle, but an import may.
func TestACycleOfParentsEnds(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	importFamily(t, z, map[string]string{"a": "c", "b": "a", "c": "b", "self": "self"})
	family, err := z.Family(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, "a(b(c))", shape(family))
	family, err = z.Family(t.Context(), "self")
	require.NoError(t, err)
	require.Equal(t, "self", shape(family))
	require.NoError(t, z.Update(t.Context(), "b", macaroon.Change{Bait: new(store.BaitRevokesFamily)}))
	n, err := z.Get(t.Context(), "b")
	require.NoError(t, err)
	requireID(t, errors.IDTokenRevoked, z.verify(n.Token))
	for _, id := range []string{"a", "b", "c"} {
		eventually(t, func() bool {
			n, err := z.Get(t.Context(), id)
			return err == nil && n.Revoked
		}, id)
	}
	require.NoError(t, z.DeleteFamily(t.Context(), "c"))
	require.NoError(t, z.RevokeFamily(t.Context(), "self"))
}

func TestRevokeFamilyRevokesAllDescendants(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	parent := z.access(t)
	root := z.child(t, alice, parent)
	a, b := z.child(t, alice, root), z.child(t, bob, root)
	c := z.child(t, alice, a)
	require.NoError(t, z.RevokeFamily(t.Context(), root.ID()))
	for _, token := range []macaroon.Token{root, a, b, c} {
		requireID(t, errors.IDTokenRevoked, z.verifyFrom(token, inside))
	}
	require.NoError(t, z.verifyFrom(parent, inside))
	requireID(t, errors.IDNotFound, z.RevokeFamily(t.Context(), "unknown"))
	// Again, and after the root was deleted.
	require.NoError(t, z.RevokeFamily(t.Context(), root.ID()))
	require.NoError(t, z.Delete(t.Context(), root.ID()))
	require.NoError(t, z.Restore(t.Context(), a.ID()))
	require.NoError(t, z.RevokeFamily(t.Context(), root.ID()))
	requireID(t, errors.IDTokenRevoked, z.verifyFrom(a, inside))
	// By the id of a temporary token.
	temporary := z.temporary(t, alice, macaroon.AccessToken())
	minted := z.child(t, alice, temporary)
	require.NoError(t, z.RevokeFamily(t.Context(), temporary.ID()))
	requireID(t, errors.IDTokenRevoked, z.verifyFrom(minted, inside))
}

// A thief of a token mints temporary tokens, and with these named ones and further
// temporary ones. All named ones belong to the family, and none follows after its
// revocation.
func TestNobodyLeavesAFamilyByTemporaryTokens(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	temporary := func(parent macaroon.Token) (macaroon.Token, error) {
		return z.Issue(t.Context(), macaroon.Grant{
			Subject: alice, Type: macaroon.AccessToken(), Caveats: []caveat.Caveat{caveat.Until(z.clock().Add(time.Hour))}, Parent: z.authOf(t, parent),
		})
	}
	for what, end := range map[string]func(ctx context.Context, id string) error{"revoked": z.RevokeFamily, "deleted": z.DeleteFamily} {
		stolen := z.access(t)
		first, err := temporary(stolen)
		require.NoError(t, err)
		second, err := temporary(confine(t, first, campus))
		require.NoError(t, err)
		named := z.child(t, alice, second)
		n, err := z.Get(t.Context(), named.ID())
		require.NoError(t, err)
		require.Equal(t, stolen.ID(), n.Parent, what)

		require.NoError(t, end(t.Context(), stolen.ID()))
		require.Error(t, z.verifyFrom(named, inside), "%s: a token left the family", what)
		for _, parent := range []macaroon.Token{first, second} {
			require.NoError(t, z.verifyFrom(parent, inside))
			_, err = temporary(parent)
			requireID(t, errors.IDUnauthorized, err)
			g := macaroon.Grant{Subject: alice, Type: macaroon.AccessToken(), Parent: z.authOf(t, parent)}
			_, err = z.IssueNamed(t.Context(), "after the end", g)
			requireID(t, errors.IDUnauthorized, err)
		}
	}
}

func TestDeletingAParentKeepsOrDeletesTheChildren(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	keeper := z.access(t)
	kept := z.child(t, alice, keeper)
	require.NoError(t, z.Delete(t.Context(), keeper.ID()))
	require.NoError(t, z.verifyFrom(kept, inside))
	n, err := z.Get(t.Context(), kept.ID())
	require.NoError(t, err)
	require.Equal(t, keeper.ID(), n.Parent)

	root := z.access(t)
	child := z.child(t, alice, root)
	grandchild := z.child(t, bob, child)
	require.NoError(t, z.DeleteFamily(t.Context(), root.ID()))
	for _, token := range []macaroon.Token{root, child, grandchild} {
		requireID(t, errors.IDNotFound, second(z.Get(t.Context(), token.ID())))
	}
	requireID(t, errors.IDNotFound, z.DeleteFamily(t.Context(), root.ID()))
}

// A child whose parent is revoked or deleted after its verification is not
// issued.
func TestNoChildOfARevokedParentIsIssued(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	for what, end := range map[string]func(id string) error{
		"revoked": func(id string) error { return z.RevokeFamily(t.Context(), id) },
		"deleted": func(id string) error { return z.DeleteFamily(t.Context(), id) },
	} {
		parent := z.access(t)
		g := macaroon.Grant{Subject: alice, Type: macaroon.AccessToken(), Parent: z.authOf(t, parent)}
		require.NoError(t, end(parent.ID()))
		requireID(t, errors.IDUnauthorized, second(z.IssueNamed(t.Context(), "late "+what, g)))
		page, _, err := z.ListIDs(t.Context(), store.Query{Parent: parent.ID()})
		require.NoError(t, err)
		require.Empty(t, page, what)
	}
}

func TestRevokeFamilyRacesMinting(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	for round := range 20 {
		parent := z.access(t)
		g := macaroon.Grant{Subject: alice, Type: macaroon.AccessToken(), Parent: z.authOf(t, parent)}
		var wg sync.WaitGroup
		issued := make([]macaroon.Token, 8)
		for i := range issued {
			wg.Go(func() { issued[i], _ = z.IssueNamed(t.Context(), fmt.Sprint("racing ", round, " ", i), g) })
		}
		require.NoError(t, z.RevokeFamily(t.Context(), parent.ID()))
		wg.Wait()
		for _, token := range issued {
			if !token.IsZero() {
				require.Error(t, z.verifyFrom(token, inside), "a child escaped")
			}
		}
	}
}

// DeleteFamily of a large family ends when its context does.
func TestRevokeFamilyEndsWithItsContext(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	token := z.access(t)
	ctx, cancel := context.WithTimeout(t.Context(), -time.Second)
	defer cancel()
	requireOperational(t, z.RevokeFamily(ctx, token.ID()))
	requireOperational(t, z.DeleteFamily(ctx, token.ID()))
	requireOperational(t, second(z.Family(ctx, token.ID())))
}
