package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/postgres"
)

func TestFeedReconnects(t *testing.T) {
	t.Parallel()
	direct := newPool(t, nil)
	schema := newSchema(t, direct)
	writer := storeIn(t, direct, schema)
	prepare(t, writer)
	p := newProxy(t)
	s := storeIn(t, newPoolAt(t, p.url, parameter("application_name", "feed")), schema)
	f := watch(t, s)
	for range 3 {
		require.NoError(t, writer.UpdateToken(t.Context(), "a", revoke))
		require.Equal(t, "a", f.next(t, store.TokenChanged).TokenID)
		p.cut()
		require.Equal(t, store.FeedDown, receive(t, f.changes, "the feed disconnects").Kind)
		require.Equal(t, store.FeedUp, receive(t, f.changes, "the feed is connected again").Kind)

		require.NoError(t, writer.UpdateToken(t.Context(), "a", revoke))
		require.Equal(t, "a", f.next(t, store.TokenChanged).TokenID)
		execute(t, direct, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'feed'")
		require.Equal(t, store.FeedDown, receive(t, f.changes, "the feed disconnects").Kind)
		require.Equal(t, store.FeedUp, receive(t, f.changes, "the feed is connected again").Kind)
	}
}

// heartbeat is short, but long enough for a busy machine.
const heartbeat = 400 * time.Millisecond

// TestFeedNoticesASilentConnection drops all bytes silently, like a firewall
// that lost the state of the connection.
func TestFeedNoticesASilentConnection(t *testing.T) {
	t.Parallel()
	direct := newPool(t, nil)
	schema := newSchema(t, direct)
	writer := storeIn(t, direct, schema)
	p := newProxy(t)
	s := storeIn(t, newPoolAt(t, p.url, nil), schema)
	s.SetHeartbeat(heartbeat)
	f := watch(t, s)
	require.NoError(t, second(writer.CreateToken(t.Context(), newToken("a"), 0)))
	f.next(t, store.TokenChanged)
	p.stalled.Store(true)
	require.Equal(t, store.FeedDown, receive(t, f.changes, "the feed disconnects").Kind)
	require.NoError(t, writer.DeleteToken(t.Context(), "a"))
	p.stalled.Store(false)
	require.Equal(t, store.FeedUp, receive(t, f.changes, "the feed is connected again").Kind)
	require.NoError(t, second(writer.CreateToken(t.Context(), newToken("b"), 0)))
	require.Equal(t, "b", receive(t, f.changes, "a change").TokenID)
}

func TestFeedSurvivesSilence(t *testing.T) {
	t.Parallel()
	p := newProxy(t)
	s := newStore(t, newPoolAt(t, p.url, nil))
	s.SetHeartbeat(heartbeat)
	f := watch(t, s)
	for i := range 2 {
		// Counts pings.
		passed := p.passed.Load()
		eventually(t, func() bool { return p.passed.Load() > passed+30 }, "a silent feed was not pinged")
		id := fmt.Sprint("token ", i)
		require.NoError(t, second(s.CreateToken(t.Context(), newToken(id), 0)))
		require.Equal(t, store.Change{Kind: store.TokenChanged, TokenID: id}, receive(t, f.changes, "a change"))
	}
}

func TestFeedWaitsForAServer(t *testing.T) {
	t.Parallel()
	p := newProxy(t)
	p.budget.Store(0) // no connection comes about
	direct := newPool(t, nil)
	schema := newSchema(t, direct)
	storeIn(t, direct, schema)
	s := postgres.New(newPoolAt(t, p.url, nil), postgres.Options{Schema: schema})
	changes := make(chan store.Change, 10)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Watch(ctx, func(c store.Change) { changes <- c }) }()
	eventually(t, func() bool { return p.budget.Load() < -100 }, "the feed did not retry")
	require.Empty(t, changes, "the feed is connected without a server")
	p.budget.Store(unlimited)
	require.Equal(t, store.FeedUp, receive(t, changes, "the feed is connected").Kind)
	cancel()
	require.ErrorIs(t, receive(t, ended, "the feed ends"), context.Canceled)
}

func TestFeedNeedsTables(t *testing.T) {
	t.Parallel()
	pool := newPool(t, nil)
	s := postgres.New(pool, postgres.Options{Schema: newSchema(t, pool)})
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	err := s.Watch(ctx, func(c store.Change) { t.Errorf("the feed says %v", c) })
	requireOperational(t, err)
	require.ErrorContains(t, err, "does not exist")
}

// TestFeedReportsWritesOfOtherPrograms uses writers without the store.
func TestFeedReportsWritesOfOtherPrograms(t *testing.T) {
	t.Parallel()
	pool := newPool(t, nil)
	schema := newSchema(t, pool)
	s := storeIn(t, pool, schema)
	prepare(t, s)
	f := watch(t, s)
	token := func(id string) store.Change { return store.Change{Kind: store.TokenChanged, TokenID: id} }
	identity, temporary := store.Change{Kind: store.IdentityChanged}, store.Change{Kind: store.TemporaryChanged}
	about := func(c store.Change, s caveat.Subject) store.Change {
		c.Subject = s
		return c
	}
	down, up := store.Change{Kind: store.FeedDown}, store.Change{Kind: store.FeedUp}
	for _, c := range []struct {
		statement, table string
		want             []store.Change
	}{
		{"UPDATE %s SET revoked = true", "tokens", []store.Change{token("a")}},
		{"UPDATE %s SET id = 'b'", "tokens", []store.Change{token("a"), token("b")}},
		{"DELETE FROM %s", "tokens", []store.Change{token("b")}},
		{"UPDATE %s SET subject = 'usr-bob'", "identities", []store.Change{about(identity, alice), about(identity, bob)}},
		{"DELETE FROM %s", "identities", []store.Change{about(identity, bob)}},
		{"UPDATE %s SET subject = 'usr-bob'", "temporary_keys", []store.Change{about(temporary, alice), about(temporary, bob)}},
		{"DELETE FROM %s", "temporary_keys", []store.Change{about(temporary, bob)}},
		// A change without a record may concern any record.
		{"TRUNCATE %s", "tokens", []store.Change{down, up}},
		{"TRUNCATE %s", "identities", []store.Change{down, up}},
		{"TRUNCATE %s", "temporary_keys", []store.Change{down, up}},
	} {
		execute(t, pool, fmt.Sprintf(c.statement, quote(schema, c.table)))
		for _, want := range c.want {
			require.Equal(t, want, receive(t, f.changes, "a change"), "%s of %s", c.statement, c.table)
		}
	}
	execute(t, pool, "SELECT pg_notify($1, 'x')", schema)
	require.Equal(t, down, receive(t, f.changes, "the feed is reported as disconnected"))
	require.Equal(t, up, receive(t, f.changes, "the feed is connected again"))
}

func TestFeedDoesNotReportRollbacks(t *testing.T) {
	t.Parallel()
	pool := newPool(t, nil)
	schema := newSchema(t, pool)
	s := storeIn(t, pool, schema)
	prepare(t, s)
	f := watch(t, s)
	tx, err := pool.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), "DELETE FROM "+quote(schema, "tokens"))
	require.NoError(t, err)
	require.NoError(t, tx.Rollback(t.Context()))
	require.NoError(t, s.DeleteTemporaryKey(t.Context(), alice))
	require.Equal(t, store.Change{Kind: store.TemporaryChanged, Subject: alice}, receive(t, f.changes, "a change"))
}
