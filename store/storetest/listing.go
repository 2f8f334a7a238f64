package storetest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

var listingChecks = []check{
	{"records are in the order of creation then id", listOrder},
	{"pages of every size contain all records", listPages},
	{"a page has the default and the largest size", listPageSizes},
	{"only the subject's tokens are listed", listSubject},
	{"a name finds the token", listName},
	{"unknown subjects and names give an empty page", listUnknown},
	{"a name without a subject is refused", listNameAlone},
	{"a cursor is valid without a record at its position", listFromPlace},
	{"whole records are listed", listRecords},
	{"remaining records are listed once while others are created and deleted", listWhileChanging},
	{"remaining records are listed once under concurrent writers", listConcurrently},
}

// createAt adds small tokens of alice with the given creation times. It returns
// them in the order of a listing. Tokens with equal times are created in
// reverse order of their ids.
func createAt(t *testing.T, s store.Store, times ...int64) []store.Token {
	t.Helper()
	var tokens []store.Token
	for i, created := range times {
		token := newToken(fmt.Sprintf("token%04d", len(times)-i))
		token.Created = created
		createTokens(t, s, token)
		tokens = append(tokens, token)
	}
	slices.SortFunc(tokens, compareTokens)
	return tokens
}

func compareTokens(a, b store.Token) int {
	switch {
	case a.Created < b.Created || a.Created == b.Created && a.ID < b.ID:
		return -1
	case a.Created == b.Created && a.ID == b.ID:
		return 0
	}
	return 1
}

func listOrder(t *testing.T, open func() store.Store) {
	s := open()
	require.Empty(t, listAll(t, s, store.Query{}), "a new store is not empty")
	want := createAt(t, s, 5, 1000, 9, -3, 0, 5, math.MaxInt64, math.MinInt64, 5, -30, 1<<53, 1<<53+1, 0, 10)
	for _, id := range []string{"a", "B", "aa", "_", "ä", "Z", "~", "z", "a-b", "ab", "A", "10", "9", "\U0001F40E", "\uffee"} {
		token := newToken(id)
		token.Created = 5
		createTokens(t, s, token)
		want = append(want, token)
	}
	slices.SortFunc(want, compareTokens)
	requireTokens(t, want, listAll(t, s, store.Query{}))
	requireTokens(t, want, listAll(t, s, store.Query{Subject: alice}))
	requireTokens(t, want, listAll(t, s, store.Query{Limit: 1}))
	requireTokens(t, want, listAll(t, s, store.Query{Limit: 1, Subject: alice}))

	updateToken(t, s, want[0].ID, func(token *store.Token) { token.Name = "zzz" })
	want[0].Name = "zzz"
	requireTokens(t, want, listAll(t, s, store.Query{}), "an update changed the order")
}

func listPages(t *testing.T, open func() store.Store) {
	s := open()
	want := createAt(t, s, 3, 1, 1, 1, 2, 3, 0, 0)
	for _, q := range []store.Query{{}, {Subject: alice}} {
		for limit := 1; limit <= len(want)+1; limit++ {
			q.Limit, q.After = limit, store.Cursor{}
			var got []store.Token
			for len(got) < len(want) {
				page, next, err := s.ListTokens(t.Context(), q)
				require.NoError(t, err)
				require.Len(t, page, min(limit, len(want)-len(got)), "a page of %d", limit)
				got = append(got, page...)
				if len(got) < len(want) {
					last := page[len(page)-1]
					require.Equal(t, store.Cursor{Created: last.Created, ID: last.ID}, next, "the cursor of the next page")
				} else {
					require.True(t, next.IsZero(), "the last page, of %d with limit %d, leads to another", len(page), limit)
				}
				q.After = next
			}
			requireTokens(t, want, got)
		}
	}
}

func listPageSizes(t *testing.T, open func() store.Store) {
	s := open()
	times := make([]int64, store.MaxPage+1)
	for i := range times {
		times[i] = int64(i / 3)
	}
	want := createAt(t, s, times...)
	for limit, size := range map[int]int{
		0: store.DefaultPage, -1: store.DefaultPage, 150: 150,
		store.MaxPage: store.MaxPage, store.MaxPage + 1: store.MaxPage, math.MaxInt: store.MaxPage,
	} {
		page, next, err := s.ListTokens(t.Context(), store.Query{Limit: limit})
		require.NoError(t, err)
		require.Equal(t, ids(want[:size]), ids(page), "limit %d", limit)
		require.False(t, next.IsZero(), "limit %d", limit)
	}
	require.Equal(t, ids(want), ids(listAll(t, s, store.Query{})))
}

func listSubject(t *testing.T, open func() store.Store) {
	s := open()
	want := make(map[caveat.Subject][]store.Token)
	all := append([]caveat.Subject{caveat.User("alicf"), caveat.User("alic"), caveat.User("alice2"), caveat.User("Alice")}, subjects...)
	for i := range 8 {
		for n, subject := range all {
			token := newToken(fmt.Sprintf("token %d of %s", i, subject))
			token.Subject, token.Created = subject, int64((i*7+n)%4)
			createTokens(t, s, token)
			want[subject] = append(want[subject], token)
		}
	}
	for _, subject := range all {
		slices.SortFunc(want[subject], compareTokens)
		for _, limit := range []int{0, 1, 3} {
			requireTokens(t, want[subject], listAll(t, s, store.Query{Subject: subject, Limit: limit}), "of %s", subject)
		}
	}
	require.Len(t, listAll(t, s, store.Query{Limit: 5}), 8*len(all))
}

func listName(t *testing.T, open func() store.Store) {
	s := open()
	first, second, other := newToken("a"), newToken("b"), newToken("c")
	first.Name, second.Name, other.Name, other.Subject = "name", "name2", "name", bob
	createTokens(t, s, first, second, other)
	q := store.Query{Subject: alice, Name: "name"}
	page, next, err := s.ListTokens(t.Context(), q)
	require.NoError(t, err)
	requireTokens(t, []store.Token{first}, page)
	require.True(t, next.IsZero(), "there is one token of that name")

	q.Limit = 1
	page, next, err = s.ListTokens(t.Context(), q)
	require.NoError(t, err)
	requireTokens(t, []store.Token{first}, page)
	require.True(t, next.IsZero(), "there is one token of that name")
	q.After = store.Cursor{Created: first.Created, ID: first.ID}
	require.Empty(t, listAll(t, s, q), "after the token of that name")
	requireTokens(t, []store.Token{other}, listAll(t, s, store.Query{Subject: bob, Name: "name"}))
}

func listUnknown(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, newToken("a"))
	for _, q := range []store.Query{
		{Subject: bob},
		{Subject: provider},
		{Subject: caveat.User("")},
		{Subject: caveat.Group("alice")},
		{Subject: caveat.Nobody()},
		{Subject: caveat.Subject{Type: 99, ID: "alice"}},
		{Subject: alice, Name: "unknown"},
		{Subject: alice, Name: "name of"},
		{Subject: alice, Name: "Name of a"},
		{Subject: bob, Name: "name of a"},
		{After: store.Cursor{Created: math.MaxInt64, ID: "z"}},
		{Subject: alice, After: store.Cursor{Created: math.MaxInt64, ID: "z"}},
	} {
		page, next, err := s.ListTokens(t.Context(), q)
		require.NoError(t, err, "%+v", q)
		require.Empty(t, page, "%+v", q)
		require.True(t, next.IsZero(), "%+v", q)
	}
}

func listNameAlone(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, newToken("a"))
	page, next, err := s.ListTokens(t.Context(), store.Query{Name: "name of a"})
	requireID(t, err, errors.IDBadData)
	require.Empty(t, page)
	require.True(t, next.IsZero())
}

func listFromPlace(t *testing.T, open func() store.Store) {
	s := open()
	want := createAt(t, s, -2, 3, 3, 7)
	for after, from := range map[store.Cursor]int{
		{}:                                 0,
		{Created: -3, ID: "x"}:             0,
		{Created: -2, ID: ""}:              0,
		{Created: -2, ID: want[0].ID}:      1,
		{Created: 0, ID: "x"}:              1,
		{Created: 3, ID: "a"}:              1,
		{Created: 3, ID: want[1].ID}:       2,
		{Created: 3, ID: want[1].ID + "x"}: 2,
		{Created: 3, ID: want[2].ID}:       3,
		{Created: 3, ID: "z"}:              3,
		{Created: 7, ID: want[3].ID}:       4,
		{Created: 8}:                       4,
	} {
		requireTokens(t, want[from:], listAll(t, s, store.Query{After: after}), "after %+v", after)
		requireTokens(t, want[from:], listAll(t, s, store.Query{After: after, Subject: alice, Limit: 1}), "after %+v", after)
	}
}

func listRecords(t *testing.T, open func() store.Store) {
	s := open()
	full, plain := fullToken("b"), newToken("a")
	createTokens(t, s, full, plain)
	want := []store.Token{plain, full}
	requireTokens(t, want, listAll(t, s, store.Query{}))
	requireTokens(t, want, listAll(t, s, store.Query{Subject: alice}))
	requireTokens(t, want[1:], listAll(t, s, store.Query{Subject: alice, Name: full.Name}))
}

// listWhileChanging reads all pages. After each page it deletes the token that
// the cursor names, and adds tokens before, at and after that position.
func listWhileChanging(t *testing.T, open func() store.Store) {
	for _, subject := range []caveat.Subject{{}, alice} {
		s := open()
		want := createAt(t, s, 10, 10, 10, 10, 20, 20, 20, 30, 30, 30, 30, 40)
		stay := make(map[string]int)
		for i, token := range want {
			if i%2 == 0 {
				stay[token.ID] = 0
			}
		}
		q := store.Query{Subject: subject, Limit: 2}
		for turn := 0; ; turn++ {
			require.Less(t, turn, 100, "the listing does not end")
			page, next, err := s.ListTokens(t.Context(), q)
			require.NoError(t, err)
			require.True(t, slices.IsSortedFunc(page, compareTokens))
			for _, token := range page {
				if _, ok := stay[token.ID]; ok {
					stay[token.ID]++
					updateToken(t, s, token.ID, func(token *store.Token) { token.UsageCount++ })
				} else {
					require.NoError(t, s.DeleteToken(t.Context(), token.ID))
				}
			}
			if next.IsZero() {
				break
			}
			for i, created := range []int64{1, next.Created, next.Created, 50} {
				if i == 3 && turn > 3 {
					continue // otherwise the listing would never end
				}
				token := newToken(fmt.Sprintf("%c added %d", []rune("a~")[i%2], turn*4+i))
				token.Created = created
				createTokens(t, s, token)
			}
			q.After = next
		}
		for id, times := range stay {
			require.Equal(t, 1, times, "the token %s was listed so many times", id)
		}
	}
}

func listConcurrently(t *testing.T, open func() store.Store) {
	listWhileWriting(t, open(), func(s store.Store) []string { return ids(listAll(t, s, store.Query{Limit: 3})) })
}

// listWhileWriting lists ids repeatedly while other tokens are created and
// deleted.
func listWhileWriting(t *testing.T, s store.Store, list func(store.Store) []string) {
	t.Helper()
	stay := make(map[string]bool)
	for i := range 30 {
		token := newToken(fmt.Sprintf("stay%02d", i))
		token.Created = int64(i / 4)
		createTokens(t, s, token)
		stay[token.ID] = true
	}
	done := make(chan []error, 1)
	go func() {
		done <- race(2, func(i int) error { return comeAndGo(t.Context(), s, i) })
	}()
	for range 5 {
		listed := make(map[string]int)
		for _, id := range list(s) {
			listed[id]++
		}
		for id := range stay {
			require.Equal(t, 1, listed[id], "the token %s was listed so many times", id)
		}
	}
	requireAllNil(t, await(t, done, "the writers end"))
	require.Len(t, list(s), len(stay))
}

// comeAndGo creates and deletes tokens at all positions of a listing.
func comeAndGo(ctx context.Context, s store.Store, writer int) error {
	for i := range 40 {
		token := newToken(fmt.Sprint("comes and goes ", writer, " ", i))
		token.Created = int64(i % 9)
		if err := createToken(ctx, s, token); err != nil {
			return err
		}
		if err := s.DeleteToken(ctx, token.ID); err != nil {
			return err
		}
	}
	return nil
}
