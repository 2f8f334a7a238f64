//go:build e2e

package stores_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/pgtest"
	"github.com/onezone-go/onezone/internal/testing/redistest"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/postgres"
	"github.com/onezone-go/onezone/store/redis"
	"github.com/onezone-go/onezone/store/sqlite"
)

// place is an empty database. Each call opens another handle to it, as another
// process would. The end of the test closes the handle.
type place func(tb testing.TB) store.Store

// engine is a kind of database.
type engine struct {
	name string
	make func(tb testing.TB) place
}

// engines are all engines that stores run on.
var engines = append([]engine{{"memory", inMemory}}, shared...)

// shared are the engines that several processes can share.
var shared = []engine{
	{"sqlite", func(tb testing.TB) place {
		return inSQLite(newPath(tb), sqlite.Options{Synchronous: sqlite.Off})
	}},
	{"postgres", func(tb testing.TB) place { return inPostgres(sharedPool, postgres.Options{Schema: newSchema(tb)}) }},
	{"redis", func(tb testing.TB) place { return inRedis(redistest.URL(tb), redistest.Prefix()) }},
}

// forEach runs the test once for each of the engines, in parallel.
func forEach(t *testing.T, engines []engine, test func(t *testing.T, p place)) {
	t.Helper()
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			test(t, e.make(t))
		})
	}
}

// inMemory returns the same store for every handle, because processes cannot
// share one in memory.
func inMemory(tb testing.TB) place {
	s := memory.New()
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	return func(testing.TB) store.Store { return s }
}

func newPath(tb testing.TB) string { return filepath.Join(tb.TempDir(), "onezone.db") }

func inSQLite(path string, o sqlite.Options) place {
	return func(tb testing.TB) store.Store {
		tb.Helper()
		s, err := sqlite.Open(context.Background(), path, o)
		require.NoError(tb, err)
		tb.Cleanup(func() { require.NoError(tb, s.Close()) })
		require.NoError(tb, s.Migrate(context.Background()))
		return s
	}
}

var schemas atomic.Int64

// newSchema returns an unused schema name on the shared server. The end of the
// test drops the schema.
func newSchema(tb testing.TB) string {
	tb.Helper()
	pool := sharedPool(tb)
	name := fmt.Sprintf("integration_%d_%d", os.Getpid(), schemas.Add(1))
	tb.Cleanup(func() {
		_, err := pool.Exec(context.Background(), "DROP SCHEMA IF EXISTS "+name+" CASCADE")
		require.NoError(tb, err)
	})
	return name
}

// sharedPool returns a connection pool for the shared server. TestMain closes
// it.
func sharedPool(tb testing.TB) *pgxpool.Pool {
	tb.Helper()
	url := pgtest.URL(tb)
	pools.once.Do(func() { pools.shared, pools.err = newPool(url, 40) })
	require.NoError(tb, pools.err)
	return pools.shared
}

var pools struct {
	once   sync.Once
	shared *pgxpool.Pool
	err    error
}

func newPool(url string, connections int32) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = connections
	return pgxpool.NewWithConfig(context.Background(), config)
}

// ownPool returns a function that opens a separate pool for each handle.
func ownPool(url string) func(tb testing.TB) *pgxpool.Pool {
	return func(tb testing.TB) *pgxpool.Pool {
		tb.Helper()
		pool, err := newPool(url, 10)
		require.NoError(tb, err)
		tb.Cleanup(pool.Close)
		return pool
	}
}

func inPostgres(pool func(tb testing.TB) *pgxpool.Pool, o postgres.Options) place {
	return func(tb testing.TB) store.Store {
		tb.Helper()
		s := postgres.New(pool(tb), o)
		tb.Cleanup(func() { require.NoError(tb, s.Close()) })
		require.NoError(tb, s.Migrate(context.Background()))
		return s
	}
}

func newClient(tb testing.TB, url string) rueidis.Client {
	tb.Helper()
	option, err := rueidis.ParseURL(url)
	require.NoError(tb, err)
	option.DisableCache = true
	option.RingScaleEachConn = 8 // many clients, each with little to do
	client, err := rueidis.NewClient(option)
	require.NoError(tb, err)
	tb.Cleanup(client.Close)
	return client
}

func inRedis(url, prefix string) place {
	return func(tb testing.TB) store.Store {
		tb.Helper()
		s := redis.New(newClient(tb, url), redis.Options{Prefix: prefix})
		tb.Cleanup(func() { require.NoError(tb, s.Close()) })
		require.NoError(tb, s.Migrate(context.Background()))
		return s
	}
}
