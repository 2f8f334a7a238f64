package sqlite_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/sqlite"
)

// TestQueriesUseIndexes checks that no query scans a table or sorts. So the
// cost of look-ups does not depend on the number of tokens, and a page needs
// only its own memory.
func TestQueriesUseIndexes(t *testing.T) {
	t.Parallel()
	db := newHandle(t, newPath(t))
	newOver(t, db, sqlite.Options{})
	planned := 0
	for _, query := range sqlite.Queries() {
		rows, err := db.Query("EXPLAIN QUERY PLAN "+query, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18)
		require.NoError(t, err, query)
		for rows.Next() {
			var id, parent, unused int
			var step string
			require.NoError(t, rows.Scan(&id, &parent, &unused, &step))
			if strings.Contains(query, "WHERE false") || strings.Contains(step, "json_each") {
				continue
			}
			planned++
			require.NotContains(t, step, "TEMP B-TREE", query)
			require.False(t, strings.HasPrefix(step, "SCAN") && step != "SCAN CONSTANT ROW", "%s: %s", query, step)
			if strings.HasPrefix(query, "SELECT") && strings.Contains(query, "FROM onezone_tokens") && strings.Contains(query, "subject = ?4") {
				require.Contains(t, step, "(subject=?", "%s: the tokens of others are read", query)
			}
			if strings.HasPrefix(query, "SELECT") && strings.Contains(query, "parent = ?4") {
				require.Contains(t, step, "(parent=?", "%s: other tokens are read", query)
			}
		}
		require.NoError(t, rows.Err())
	}
	require.Greater(t, planned, 15)
}

// TestIDsAndCountsReadOnlyAnIndex checks statements whose cost must not depend
// on the size of records.
func TestIDsAndCountsReadOnlyAnIndex(t *testing.T) {
	t.Parallel()
	db := newHandle(t, newPath(t))
	newOver(t, db, sqlite.Options{})
	checked := 0
	for _, query := range sqlite.Queries() {
		places := strings.HasPrefix(query, "SELECT created, id FROM") && !strings.Contains(query, "name = ")
		if !places && !strings.HasPrefix(query, "SELECT count(*)") {
			continue
		}
		rows, err := db.Query("EXPLAIN QUERY PLAN "+query, 1, 2, 3, "usr-alice")
		require.NoError(t, err, query)
		for rows.Next() {
			var id, parent, unused int
			var step string
			require.NoError(t, rows.Scan(&id, &parent, &unused, &step))
			require.Contains(t, step, "USING COVERING INDEX", query)
			checked++
		}
		require.NoError(t, rows.Err())
	}
	require.Equal(t, 4, checked)
}

// TestListingNeedsTheMemoryOfAPage lists a subject with 10,000 tokens among
// tokens of others.
func TestListingNeedsTheMemoryOfAPage(t *testing.T) {
	if testing.Short() {
		t.Skip("the platform runs nothing concurrently")
	}
	s := openAt(t, newPath(t), sqlite.Options{Synchronous: sqlite.Off})
	const tokens, payload = 10_000, 1000
	fillSubject(t, s, tokens, payload)
	most, listed := listingPeak(t, s)
	require.Equal(t, tokens, listed)
	require.Less(t, most, 1<<20, "all tokens together take %d bytes and more", tokens*payload)
}

// fillSubject imports n tokens of alice with caveats of the given size, and a
// tenth as many of bob.
func fillSubject(tb testing.TB, s *sqlite.Store, n, payload int) {
	tb.Helper()
	caveats := []string{strings.Repeat("x", payload)}
	for from := 0; from < n; from += store.MaxPage {
		var records []store.Record
		for i := range store.MaxPage {
			token := newToken(fmt.Sprint("token ", from+i))
			token.Caveats, token.Created = caveats, int64(i)
			records = append(records, store.Record{Token: &token})
			if i%10 == 0 {
				other := token
				other.ID, other.Subject = "other "+token.ID, bob
				records = append(records, store.Record{Token: &other})
			}
		}
		require.NoError(tb, s.Import(context.Background(), records))
	}
}

// listingPeak lists the tokens of alice in pages of 100. It returns the peak
// size of the heap in bytes and the number of tokens.
func listingPeak(tb testing.TB, s *sqlite.Store) (most, listed int) {
	tb.Helper()
	inUse := func() int {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	before := inUse()
	for q := (store.Query{Subject: alice, Limit: 100}); ; {
		page, next, err := s.ListTokens(context.Background(), q)
		require.NoError(tb, err)
		for _, token := range page {
			require.Equal(tb, alice, token.Subject)
		}
		listed += len(page)
		most = max(most, inUse()-before)
		runtime.KeepAlive(page)
		if next.IsZero() {
			return most, listed
		}
		q.After = next
	}
}

// TestClockGoesBackwards issues tokens with a clock that jumps back and forth.
// They are listed in the order of their times, each exactly once.
func TestClockGoesBackwards(t *testing.T) {
	t.Parallel()
	s := openAt(t, newPath(t), sqlite.Options{})
	require.NoError(t, s.CreateIdentity(t.Context(), newUser("alice")))
	now := time.Unix(1_700_000_000, 0)
	authority, err := macaroon.NewAuthority(s, macaroon.WithClock(func() time.Time { return now }))
	require.NoError(t, err)
	issued := make(map[string]time.Time)
	for i := range 12 {
		token, err := authority.IssueNamed(t.Context(), fmt.Sprint("token ", i), macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
		require.NoError(t, err)
		issued[token.ID()] = now
		now = now.Add(time.Duration(7-5*i%13) * time.Hour)
		require.NoError(t, second(authority.VerifyAccess(t.Context(), token.String(), caveat.Request{})))
	}
	q, last := store.Query{Subject: alice, Limit: 5}, time.Time{}
	for {
		page, next, err := authority.List(t.Context(), q)
		require.NoError(t, err)
		for _, token := range page {
			require.True(t, token.Created.Equal(issued[token.ID()]), "listed twice, or with another time")
			require.False(t, token.Created.Before(last), "the listing is not ordered by time")
			last = token.Created
			delete(issued, token.ID())
		}
		if next.IsZero() {
			break
		}
		q.After = next
		now = now.Add(-time.Hour)
	}
	require.Empty(t, issued, "left out")
	for want := int64(1); want <= 3; want++ {
		generation, err := s.RotateTemporaryKey(t.Context(), alice, store.NewSecret("secret"))
		require.NoError(t, err)
		require.Equal(t, want, generation)
		now = now.Add(-time.Hour)
	}
}
