package storetest

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

var mintedChecks = []check{
	{"tokens with the parent are listed whatever their subject", listMinted},
	{"pages of tokens with a parent contain all of them", listMintedPages},
	{"a listing by parent follows deletions and imports", listMintedFollows},
	{"an unknown parent gives an empty page", listMintedUnknown},
	{"a parent with a subject is refused", listMintedOfSubject},
}

// createMinted adds tokens of all subjects with the parent, some with equal
// creation times, and returns them in the order of a listing.
func createMinted(t *testing.T, s store.Store, parent string, n int) []store.Token {
	t.Helper()
	var tokens []store.Token
	for i := range n {
		token := newToken(fmt.Sprintf("%d minted with %s", i, parent))
		token.Parent, token.Created, token.Subject = parent, int64(i*7%4), subjects[i%len(subjects)]
		createTokens(t, s, token)
		tokens = append(tokens, token)
	}
	slices.SortFunc(tokens, compareTokens)
	return tokens
}

func listMinted(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, newToken("a"), newToken("b"), newToken("minted with a"))
	ofA, ofB := createMinted(t, s, "a", 9), createMinted(t, s, "b", 2)
	createMinted(t, s, "aa", 3)
	createMinted(t, s, "A", 3)
	orphans := createMinted(t, s, "without a record", 2)
	for parent, want := range map[string][]store.Token{"a": ofA, "b": ofB, "without a record": orphans} {
		requireTokens(t, want, listAll(t, s, store.Query{Parent: parent}), parent)
		require.Equal(t, ids(want), listAllIDs(t, s, store.Query{Parent: parent}), parent)
	}
	require.Len(t, listAll(t, s, store.Query{}), 22)
	require.Empty(t, listAll(t, s, store.Query{Parent: ofA[0].ID}), "a token without others minted with it")
}

func listMintedPages(t *testing.T, open func() store.Store) {
	s := open()
	createMinted(t, s, "b", 5)
	want := createMinted(t, s, "a", 10)
	for limit := 1; limit <= 11; limit++ {
		q := store.Query{Parent: "a", Limit: limit}
		requireTokens(t, want, listAll(t, s, q), "pages of %d", limit)
		requireSamePage(t, s, q)
		q.After = store.Cursor{Created: want[4].Created, ID: want[4].ID}
		requireSamePage(t, s, q)
		requireTokens(t, want[5:], listAll(t, s, q), "pages of %d after the fifth", limit)
	}
}

func listMintedFollows(t *testing.T, open func() store.Store) {
	s := open()
	want := createMinted(t, s, "a", 4)
	require.NoError(t, s.DeleteToken(t.Context(), want[0].ID))
	updateToken(t, s, want[1].ID, func(token *store.Token) { token.Name, token.Revoked = "another", true })
	want[1].Name, want[1].Revoked = "another", true
	requireTokens(t, want[1:], listAll(t, s, store.Query{Parent: "a"}))

	moved, orphan, adopted := want[2], want[3], newToken("adopted")
	createTokens(t, s, adopted)
	moved.Parent, orphan.Parent, adopted.Parent = "b", "", "a"
	require.NoError(t, s.Import(t.Context(), []store.Record{{Token: &moved}, {Token: &orphan}, {Token: &adopted}}))
	requireTokens(t, []store.Token{want[1], adopted}, listAll(t, s, store.Query{Parent: "a"}))
	requireTokens(t, []store.Token{moved}, listAll(t, s, store.Query{Parent: "b"}))

	adopted.Subject = bob
	require.NoError(t, s.Import(t.Context(), []store.Record{{Token: &adopted}}))
	requireTokens(t, []store.Token{want[1], adopted}, listAll(t, s, store.Query{Parent: "a"}), "another subject")
}

func listMintedUnknown(t *testing.T, open func() store.Store) {
	s := open()
	createMinted(t, s, "a", 3)
	for _, q := range []store.Query{
		{Parent: "unknown"}, {Parent: "A"}, {Parent: "a "}, {Parent: "a\x00"}, {Parent: "\xff"},
		{Parent: "a", After: store.Cursor{Created: math.MaxInt64, ID: "z"}},
	} {
		require.Empty(t, listAll(t, s, q), "%+v", q)
		require.Empty(t, listAllIDs(t, s, q), "%+v", q)
	}
}

func listMintedOfSubject(t *testing.T, open func() store.Store) {
	s := open()
	createMinted(t, s, "a", 3)
	page, next, err := s.ListTokens(t.Context(), store.Query{Parent: "a", Subject: alice})
	requireID(t, err, errors.IDBadData)
	require.Empty(t, page)
	require.True(t, next.IsZero())
	_, _, err = s.ListTokenIDs(t.Context(), store.Query{Parent: "a", Subject: alice})
	requireID(t, err, errors.IDBadData)
}
