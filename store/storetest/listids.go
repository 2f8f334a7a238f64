package storetest

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

var listIDsChecks = []check{
	{"ids are in the order of the records", listIDsOrder},
	{"ids are those of the records for every query", listIDsQueries},
	{"pages of ids are those of the records", listIDsPages},
	{"a page of ids has the default and the largest size", listIDsPageSizes},
	{"ids of a name without a subject are refused", listIDsNameAlone},
	{"listed ids are a copy", listIDsCopy},
	{"remaining ids are listed once under concurrent writers", listIDsConcurrently},
}

// createMixed adds tokens of all subjects, some with equal creation times, in
// an order different from that of a listing.
func createMixed(t *testing.T, s store.Store) {
	t.Helper()
	for i := range 8 {
		for n, subject := range subjects {
			token := newToken(fmt.Sprintf("token %d of %s", (i*3)%8, subject))
			token.Subject, token.Created = subject, int64((i*7+n)%4)-1
			createTokens(t, s, token)
		}
	}
}

// listAllIDs returns all ids of a query. It fails the test if the pages do not
// end.
func listAllIDs(t *testing.T, s store.Store, q store.Query) []string {
	t.Helper()
	all := []string{}
	for range 2000 {
		page, next, err := s.ListTokenIDs(t.Context(), q)
		require.NoError(t, err, "list ids")
		require.LessOrEqual(t, len(page), q.PageSize(), "the page is larger than asked for")
		all = append(all, page...)
		if next.IsZero() {
			return all
		}
		q.After = next
	}
	require.FailNow(t, "the listing does not end")
	return nil
}

func listIDsOrder(t *testing.T, open func() store.Store) {
	s := open()
	require.Empty(t, listAllIDs(t, s, store.Query{}), "a new store is not empty")
	want := ids(createAt(t, s, 5, 1000, 9, -3, 0, 5, math.MaxInt64, math.MinInt64, 5, -30, 1<<53, 1<<53+1, 0, 10))
	for _, q := range []store.Query{{}, {Subject: alice}, {Limit: 1}, {Subject: alice, Limit: 1}, {Limit: 3}} {
		require.Equal(t, want, listAllIDs(t, s, q), "%+v", q)
	}
}

func listIDsQueries(t *testing.T, open func() store.Store) {
	s := open()
	createMixed(t, s)
	name := newToken("token 3 of " + alice.String()).Name
	for _, q := range []store.Query{
		{}, {Limit: 2}, {Limit: 24}, {Limit: 1000},
		{Subject: alice}, {Subject: bob}, {Subject: provider}, {Subject: bob, Limit: 3}, {Subject: bob, Limit: 8},
		{Subject: caveat.User("unknown")}, {Subject: caveat.User("")}, {Subject: caveat.Group("alice")}, {Subject: caveat.Nobody()},
		{Subject: alice, Name: name}, {Subject: alice, Name: name, Limit: 1}, {Subject: bob, Name: name}, {Subject: alice, Name: "unknown"},
		{Subject: alice, Name: name, After: store.Cursor{Created: -1, ID: "a"}},
		{Subject: alice, Name: name, After: store.Cursor{Created: 5, ID: "a"}},
		{After: store.Cursor{Created: 1, ID: "token 3"}}, {Subject: alice, After: store.Cursor{Created: 1, ID: "token 3"}},
		{After: store.Cursor{Created: 9, ID: "z"}},
	} {
		requireSamePage(t, s, q)
	}
}

// requireSamePage requires that ids and records give the same page and cursor
// for the query. It returns the cursor.
func requireSamePage(t *testing.T, s store.Store, q store.Query) store.Cursor {
	t.Helper()
	records, want, err := s.ListTokens(t.Context(), q)
	require.NoError(t, err, "%+v", q)
	page, next, err := s.ListTokenIDs(t.Context(), q)
	require.NoError(t, err, "%+v", q)
	require.Equal(t, ids(records), append([]string{}, page...), "%+v", q)
	require.Equal(t, want, next, "%+v", q)
	return next
}

func listIDsPages(t *testing.T, open func() store.Store) {
	s := open()
	createMixed(t, s)
	for _, q := range []store.Query{{}, {Subject: alice}} {
		for q.Limit = 1; q.Limit <= 25; q.Limit++ {
			pages := 0
			for q.After = requireSamePage(t, s, q); !q.After.IsZero(); q.After = requireSamePage(t, s, q) {
				pages++
				require.Less(t, pages, 30, "the listing does not end")
			}
		}
	}
}

func listIDsPageSizes(t *testing.T, open func() store.Store) {
	s := open()
	times := make([]int64, store.MaxPage+1)
	for i := range times {
		times[i] = int64(i / 3)
	}
	want := ids(createAt(t, s, times...))
	for limit, size := range map[int]int{
		0: store.DefaultPage, -1: store.DefaultPage, 150: 150,
		store.MaxPage: store.MaxPage, store.MaxPage + 1: store.MaxPage, math.MaxInt: store.MaxPage,
	} {
		page, next, err := s.ListTokenIDs(t.Context(), store.Query{Limit: limit})
		require.NoError(t, err)
		require.Equal(t, want[:size], page, "limit %d", limit)
		require.False(t, next.IsZero(), "limit %d", limit)
	}
	require.Equal(t, want, listAllIDs(t, s, store.Query{}))
	require.EqualValues(t, len(want), countTokens(t, s, alice), "more tokens than a page holds are counted")
}

func listIDsNameAlone(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, newToken("a"))
	page, next, err := s.ListTokenIDs(t.Context(), store.Query{Name: "name of a"})
	requireID(t, err, errors.IDBadData)
	require.Empty(t, page)
	require.True(t, next.IsZero())
}

func listIDsCopy(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, newToken("a"), newToken("b"))
	page, _, err := s.ListTokenIDs(t.Context(), store.Query{})
	require.NoError(t, err)
	clear(page)
	_ = append(page, "overwritten")
	require.Equal(t, []string{"a", "b"}, listAllIDs(t, s, store.Query{}))
}

func listIDsConcurrently(t *testing.T, open func() store.Store) {
	listWhileWriting(t, open(), func(s store.Store) []string { return listAllIDs(t, s, store.Query{Limit: 3}) })
}

var countChecks = []check{
	{"the tokens of the subject are counted", countSubject},
	{"a rename and a revocation do not change the count", countUpdates},
	{"a refused creation and a refused deletion do not count", countRefused},
	{"concurrent writers leave the right count", countConcurrently},
	{"imported tokens are counted", countImported},
}

func countTokens(t *testing.T, s store.Store, subject caveat.Subject) int64 {
	t.Helper()
	n, err := s.CountTokens(t.Context(), subject)
	require.NoError(t, err, "count the tokens of %s", subject)
	return n
}

func countSubject(t *testing.T, open func() store.Store) {
	s := open()
	for i := range 3 {
		for n, subject := range subjects {
			if n <= i {
				token := newToken(fmt.Sprintf("token %d of %s", i, subject))
				token.Subject = subject
				createTokens(t, s, token)
			}
		}
	}
	for subject, want := range map[caveat.Subject]int64{
		alice: 3, bob: 2, provider: 1, {}: 0, caveat.User("alic"): 0, caveat.User("alice2"): 0, caveat.User("Alice"): 0,
		caveat.User(""): 0, caveat.Group("alice"): 0, caveat.Nobody(): 0, {Type: 99, ID: "alice"}: 0, caveat.User("\x00"): 0,
	} {
		require.Equal(t, want, countTokens(t, s, subject), "%s", subject)
	}
	for want := int64(2); want >= 0; want-- {
		require.NoError(t, s.DeleteToken(t.Context(), fmt.Sprintf("token %d of %s", want, alice)))
		require.Equal(t, want, countTokens(t, s, alice), "after a deletion")
		require.EqualValues(t, 2, countTokens(t, s, bob), "after a deletion of another subject's token")
	}
	createTokens(t, s, newToken("again"))
	require.EqualValues(t, 1, countTokens(t, s, alice), "after all were deleted")
}

func countUpdates(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, newToken("a"), newToken("b"))
	updateToken(t, s, "a", func(token *store.Token) { token.Name = "another" })
	updateToken(t, s, "b", func(token *store.Token) { token.Revoked = true })
	require.EqualValues(t, 2, countTokens(t, s, alice))
}

func countRefused(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, newToken("a"))
	taken := newToken("b")
	taken.Name = newToken("a").Name
	for _, refused := range []store.Token{newToken("a"), taken, {Subject: alice}} {
		require.Error(t, createToken(t.Context(), s, refused))
	}
	requireID(t, s.DeleteToken(t.Context(), "unknown"), errors.IDNotFound)
	require.EqualValues(t, 1, countTokens(t, s, alice))
}

func countConcurrently(t *testing.T, open func() store.Store) {
	s := open()
	const writers, each = 4, 10
	requireAllNil(t, race(writers, func(i int) error {
		for n := range each {
			if err := createAndCount(t.Context(), s, newToken(fmt.Sprint(i, " ", n))); err != nil {
				return err
			}
		}
		return s.DeleteToken(t.Context(), fmt.Sprint(i, " ", 0))
	}))
	require.EqualValues(t, writers*(each-1), countTokens(t, s, alice))
}

// createAndCount creates the token and checks that the count includes it.
func createAndCount(ctx context.Context, s store.Store, token store.Token) error {
	if err := createToken(ctx, s, token); err != nil {
		return err
	}
	n, err := s.CountTokens(ctx, token.Subject)
	if err == nil && n == 0 {
		err = errors.New("a created token is not counted")
	}
	return err
}

func countImported(t *testing.T, open func() store.Store) {
	s := open()
	first, second := newToken("a"), newToken("b")
	for range 2 { // the second time they replace themselves
		require.NoError(t, s.Import(t.Context(), []store.Record{{Token: &first}, {Token: &second}}))
		require.EqualValues(t, 2, countTokens(t, s, alice))
	}
	moved := newToken("a")
	moved.Subject = bob
	require.NoError(t, s.Import(t.Context(), []store.Record{{Token: &moved}}))
	require.EqualValues(t, 1, countTokens(t, s, alice), "a token went to another subject")
	require.EqualValues(t, 1, countTokens(t, s, bob), "a token came from another subject")
	require.Equal(t, []string{"b"}, listAllIDs(t, s, store.Query{Subject: alice}))
	require.Equal(t, []string{"a"}, listAllIDs(t, s, store.Query{Subject: bob}))
}
