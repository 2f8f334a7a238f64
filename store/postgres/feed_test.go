package postgres_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/pgtest"
	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/postgres"
)

// observeNothing is the observer of feeds that never connect.
func observeNothing(store.Change) {}

// anotherDatabase returns the address of another database of the shared server,
// with the schema.
func anotherDatabase(t *testing.T, schema string) (address string, pool *pgxpool.Pool) {
	t.Helper()
	direct := newPool(t, nil)
	name := fmt.Sprint("another_", schemas.Add(1))
	execute(t, direct, "CREATE DATABASE "+name)
	t.Cleanup(func() { execute(t, direct, "DROP DATABASE "+name+" WITH (FORCE)") })
	at, err := url.Parse(pgtest.URL(t))
	require.NoError(t, err)
	at.Path = name
	pool = newPoolAt(t, at.String(), nil)
	storeIn(t, pool, schema)
	return at.String(), pool
}

// TestFeedIsUpOnlyWhenItsProbesArrive listens in a database without writers.
func TestFeedIsUpOnlyWhenItsProbesArrive(t *testing.T) {
	t.Parallel()
	pool := newPool(t, nil)
	schema := newSchema(t, pool)
	var log syncbuffer.Buffer
	url, there := anotherDatabase(t, schema)
	s := storeWith(t, pool, postgres.Options{Schema: schema, FeedURL: url, Logger: log.Logger()})
	s.SetProbe(100*time.Millisecond, 4*time.Second)
	changes := make(chan store.Change, 10)
	go func() { _ = s.Watch(t.Context(), func(c store.Change) { changes <- c }) }()
	eventually(t, func() bool {
		for _, payload := range []string{"garbage", "ta", "p" + strings.Repeat("0", 32) + ".1"} {
			execute(t, there, "SELECT pg_notify($1, $2)", schema, payload)
		}
		return strings.Contains(log.String(), "the test notifications of the feed do not arrive")
	}, "the reason is logged")
	require.Empty(t, changes, "the feed is up without probes")
	require.Equal(t, 1, strings.Count(log.String(), "level=WARN"), log.String())
}

// TestFeedIsDownWhenItsProbesStop drops everything that the pool sends.
func TestFeedIsDownWhenItsProbesStop(t *testing.T) {
	t.Parallel()
	direct, p := newPool(t, nil), newProxy(t)
	schema := newSchema(t, direct)
	storeIn(t, direct, schema)
	var log syncbuffer.Buffer
	s := storeWith(t, newPoolAt(t, p.url, nil), postgres.Options{Schema: schema, FeedURL: pgtest.URL(t), Logger: log.Logger()})
	s.SetProbe(100*time.Millisecond, 2*time.Second)
	f := watch(t, s)
	p.stalled.Store(true)
	require.Equal(t, store.FeedDown, receive(t, f.changes, "the feed is down").Kind)
	p.stalled.Store(false)
	require.Equal(t, store.FeedUp, receive(t, f.changes, "the feed is up again").Kind)
	require.NotEmpty(t, log.String())
}

// TestUnknownNotificationsDisconnectTheFeedAtMostOnceASecond floods the channel
// with notifications of other programs.
func TestUnknownNotificationsDisconnectTheFeedAtMostOnceASecond(t *testing.T) {
	t.Parallel()
	pool := newPool(t, nil)
	schema := newSchema(t, pool)
	s := storeIn(t, pool, schema)
	require.NoError(t, second(s.CreateToken(t.Context(), newToken("a"), 0)))
	f := watch(t, s)
	start := time.Now()
	for range 10 {
		execute(t, pool, "SELECT pg_notify($1, 'garbage ' || i) FROM generate_series(1, 200) AS i", schema)
		execute(t, pool, "SELECT pg_notify($1, 'p' || repeat('0', 32) || '.' || i) FROM generate_series(1, 50) AS i", schema)
	}
	ups, heard := 0, 0
	eventually(t, func() bool {
		require.NoError(t, s.UpdateToken(t.Context(), "a", revoke))
		for len(f.changes) > 0 {
			switch (<-f.changes).Kind {
			case store.FeedUp:
				ups++
			case store.TokenChanged:
				heard++
			}
		}
		return heard > 0
	}, "the feed works after the flood")
	require.LessOrEqual(t, ups, int(time.Since(start)/time.Second)+1, "FeedUp was reported too often")
}
