package sqlite_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/sqlite"
)

// TestWatchReportsChangesOfOthers writes through other stores, other processes
// and SQL by hand.
func TestWatchReportsChangesOfOthers(t *testing.T) {
	t.Parallel()
	path := arena(t)
	s, other := openAt(t, path, sqlite.Options{}), openAt(t, path, sqlite.Options{})
	f := watch(t, s)
	require.NoError(t, second(other.CreateToken(t.Context(), newToken("a"), 0)))
	require.Equal(t, tokenChanged("a"), f.next(t))
	require.NoError(t, s.UpdateToken(t.Context(), "a", revoke))
	require.Equal(t, tokenChanged("a"), f.next(t))

	db := newHandle(t, path)
	execute(t, db, "INSERT INTO onezone_identities VALUES ('prv-p', NULL, '', x'', 0, 0, NULL)")
	require.Equal(t, "prv-p", f.next(t).Subject.String())
	execute(t, db, "UPDATE onezone_identities SET subject = 'prv-q' WHERE subject = 'prv-p'")
	require.ElementsMatch(t, []string{"prv-p", "prv-q"}, []string{f.next(t).Subject.String(), f.next(t).Subject.String()})
	execute(t, db, "UPDATE onezone_tokens SET id = 'b' WHERE id = 'a'")
	require.ElementsMatch(t, []store.Change{tokenChanged("a"), tokenChanged("b")}, []store.Change{f.next(t), f.next(t)})
	execute(t, db, "DELETE FROM onezone_tokens WHERE id = 'b'")
	require.Equal(t, tokenChanged("b"), f.next(t))

	p := start(t, "contend", path, "one token", "1")
	p.goAhead(t)
	for range updatesEach {
		require.Equal(t, tokenChanged("token"), f.next(t))
	}
	require.NoError(t, p.Wait())
	require.Empty(t, f.changes, "more changes were reported than made")
}

// TestWatchKeepsTheOrder writes with two stores while two observers watch.
func TestWatchKeepsTheOrder(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	stores := []*sqlite.Store{openAt(t, path, sqlite.Options{}), openAt(t, path, sqlite.Options{})}
	feeds := []feed{watch(t, stores[0]), watch(t, stores[1])}
	const each = 50
	for _, err := range atOnce(len(stores), func(i int) (err error) {
		for n := 0; n < each && err == nil; n++ {
			err = second(stores[i].CreateToken(t.Context(), newToken(fmt.Sprint(i, " ", n)), 0))
		}
		return err
	}) {
		require.NoError(t, err)
	}
	var reported [2][]store.Change
	for i, f := range feeds {
		next := [2]int{}
		for range each * len(stores) {
			c := f.next(t)
			reported[i] = append(reported[i], c)
			var writer, n int
			_, err := fmt.Sscan(c.TokenID, &writer, &n)
			require.NoError(t, err)
			require.Equal(t, next[writer], n, "changes of one writer were reordered or lost")
			next[writer]++
		}
	}
	require.Equal(t, reported[0], reported[1])
}

// TestWatchReportsMissedChanges writes more changes than are stored while the
// observer hangs.
func TestWatchReportsMissedChanges(t *testing.T) {
	t.Parallel()
	s := openAt(t, newPath(t), sqlite.Options{Synchronous: sqlite.Off})
	hangs, goOn := make(chan struct{}), make(chan struct{})
	changes := make(chan store.Change, 100_000)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		first := true
		ended <- s.Watch(ctx, func(c store.Change) {
			if c.Kind == store.TokenChanged && first {
				first = false
				close(hangs)
				<-goOn
			}
			changes <- c
		})
	}()
	require.Equal(t, store.Change{Kind: store.FeedUp}, receive(t, changes, "the feed is connected"))
	require.NoError(t, second(s.CreateToken(t.Context(), newToken("first"), 0)))
	receive(t, hangs, "the observer hangs")
	records := make([]store.Record, 1000)
	for i := range records {
		token := newToken(fmt.Sprint("token ", i))
		records[i].Token = &token
	}
	require.NoError(t, s.Import(t.Context(), records))
	reader, writer := s.Handles()
	for range 20 {
		execute(t, writer, "UPDATE onezone_tokens SET usage_count = usage_count + 1")
	}
	close(goOn)
	require.Equal(t, tokenChanged("first"), receive(t, changes, "the change during which the observer hung"))
	require.Equal(t, store.Change{Kind: store.FeedDown}, receive(t, changes, "changes were missed"))
	require.Equal(t, store.Change{Kind: store.FeedUp}, receive(t, changes, "the feed is connected again"))
	require.NoError(t, second(s.CreateToken(t.Context(), newToken("last"), 0)))
	require.Equal(t, tokenChanged("last"), receive(t, changes, "the next change"))
	require.Less(t, ask[int](t, reader, "SELECT count(*) FROM onezone_changes"), 20_000, "old changes are not deleted")
	cancel()
	require.ErrorIs(t, receive(t, ended, "the feed ends"), context.Canceled)
}

// TestWatchRecoversFromFaults breaks the feed and repairs it.
func TestWatchRecoversFromFaults(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s, db := openAt(t, path, sqlite.Options{}), newHandle(t, path)
	f := watch(t, s)
	for name, fault := range map[string]struct{ breaks, mends string }{
		"the table is missing for a while": {"ALTER TABLE onezone_changes RENAME TO onezone_moved", "ALTER TABLE onezone_moved RENAME TO onezone_changes"},
		"an unknown kind":                  {"INSERT INTO onezone_changes (kind, key) VALUES ('?', '')", "SELECT 1"},
		"an invalid subject":               {"INSERT INTO onezone_changes (kind, key) VALUES ('k', 'alice')", "SELECT 1"},
		"numbers go back":                  {"UPDATE onezone_changes SET number = number - 1000", "SELECT 1"},
	} {
		execute(t, db, fault.breaks)
		require.Equal(t, store.Change{Kind: store.FeedDown}, f.next(t), name)
		execute(t, db, fault.mends)
		require.Equal(t, store.Change{Kind: store.FeedUp}, f.next(t), name)
		id := "after " + name
		require.NoError(t, second(s.CreateToken(t.Context(), newToken(id), 0)))
		require.Equal(t, tokenChanged(id), f.next(t), name)
	}
	require.NoError(t, s.Close())
	require.Equal(t, store.Change{Kind: store.FeedDown}, f.next(t))
	require.ErrorIs(t, receive(t, f.ended, "the feed ends with the store"), store.ErrClosed)
}
