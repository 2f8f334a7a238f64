package postgres_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/pgtest"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/postgres"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

var (
	alice = caveat.User("alice")
	bob   = caveat.User("bob")
)

// newPool returns a pool over the shared server. configure may be nil.
func newPool(tb testing.TB, configure func(*pgxpool.Config)) *pgxpool.Pool {
	tb.Helper()
	return newPoolAt(tb, pgtest.URL(tb), configure)
}

func newPoolAt(tb testing.TB, url string, configure func(*pgxpool.Config)) *pgxpool.Pool {
	tb.Helper()
	config, err := pgxpool.ParseConfig(url)
	require.NoError(tb, err)
	config.MaxConns = 20
	if configure != nil {
		configure(config)
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	require.NoError(tb, err)
	tb.Cleanup(pool.Close)
	return pool
}

// parameter sets a session parameter of a pool.
func parameter(name, value string) func(*pgxpool.Config) {
	return func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams[name] = value }
}

var schemas atomic.Int64

// newSchema returns the name of a schema that does not exist, and drops the
// schema after the test. The name needs quotes.
func newSchema(tb testing.TB, pool *pgxpool.Pool) string {
	tb.Helper()
	name := fmt.Sprintf(`Test "%d" of %d.onezone.x`, schemas.Add(1), os.Getpid())
	tb.Cleanup(func() { execute(tb, pool, "DROP SCHEMA IF EXISTS "+quote(name)+" CASCADE") })
	return name
}

func quote(identifier ...string) string { return pgx.Identifier(identifier).Sanitize() }

func execute(tb testing.TB, pool *pgxpool.Pool, statement string, args ...any) {
	tb.Helper()
	_, err := pool.Exec(context.Background(), statement, args...)
	require.NoError(tb, err, statement)
}

// newStore returns an empty store in a schema of its own.
func newStore(tb testing.TB, pool *pgxpool.Pool) *postgres.Store {
	tb.Helper()
	return storeIn(tb, pool, newSchema(tb, pool))
}

// storeIn returns a store in the schema, and creates the schema if needed.
func storeIn(tb testing.TB, pool *pgxpool.Pool, schema string) *postgres.Store {
	tb.Helper()
	return storeWith(tb, pool, postgres.Options{Schema: schema})
}

func storeWith(tb testing.TB, pool *pgxpool.Pool, o postgres.Options) *postgres.Store {
	tb.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := postgres.New(pool, o)
	require.NoError(tb, s.Migrate(context.Background()))
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	return s
}

// named returns the address of the shared server for sessions with that name.
func named(tb testing.TB, application string) string {
	tb.Helper()
	address, err := url.Parse(pgtest.URL(tb))
	require.NoError(tb, err)
	parameters := address.Query()
	parameters.Set("application_name", application)
	address.RawQuery = parameters.Encode()
	return address.String()
}

// backends counts the sessions with that name that meet the conditions.
func backends(tb testing.TB, pool *pgxpool.Pool, application string, conditions ...string) (n int) {
	tb.Helper()
	query := "SELECT count(*) FROM pg_stat_activity WHERE " +
		strings.Join(append(conditions, "application_name = $1"), " AND ")
	require.NoError(tb, pool.QueryRow(context.Background(), query, application).Scan(&n))
	return n
}

// waiting is the condition of a session that waits for a lock.
const waiting = "wait_event_type = 'Lock'"

func newToken(id string) store.Token {
	return store.Token{
		ID: id, Name: "name of " + id, Version: 2, Subject: alice, Type: "act", Caveats: []string{},
		Secret: store.NewSecret("secret of " + id), Created: 1_600_000_000,
	}
}

func newUser(name string) store.Identity {
	return store.Identity{
		Subject: caveat.User(name), Username: name, FullName: name, Password: store.NewSecret("hash of " + name),
	}
}

// requireOperational requires an error that is not in the catalogue.
func requireOperational(tb testing.TB, err error, about ...any) {
	tb.Helper()
	require.Error(tb, err, about...)
	e, ok := errors.AsType[*errors.Error](err)
	require.False(tb, ok, "an operational error was reported as %v %v", e, about)
}

// testTimeout is how long a test waits for an expected event.
const testTimeout = 30 * time.Second

// eventually waits until the condition holds.
func eventually(tb testing.TB, holds func() bool, what string, args ...any) {
	tb.Helper()
	require.Eventually(tb, holds, testTimeout, 2*time.Millisecond, append([]any{what}, args...)...)
}

// receive waits for a value.
func receive[T any](tb testing.TB, ch <-chan T, what string) T {
	tb.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(testTimeout):
		require.FailNow(tb, "gave up waiting: "+what)
	}
	panic("not reached")
}

// feed is a running call of Watch.
type feed struct {
	changes chan store.Change
	ended   chan error
	cancel  context.CancelFunc
}

// watch starts a feed and returns when it is connected. Changes wait until they
// are received. Only the given kinds are kept, if any.
func watch(t *testing.T, s *postgres.Store, kinds ...store.ChangeKind) feed {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f := feed{make(chan store.Change, 10_000), make(chan error, 1), cancel}
	go func() {
		f.ended <- s.Watch(ctx, func(c store.Change) {
			if len(kinds) == 0 || slices.Contains(kinds, c.Kind) {
				f.changes <- c
			}
		})
	}()
	t.Cleanup(cancel)
	require.Equal(t, store.Change{Kind: store.FeedUp}, receive(t, f.changes, "the feed is connected"))
	return f
}

// next waits for a change of the kind, and returns it.
func (f feed) next(t *testing.T, kind store.ChangeKind) store.Change {
	t.Helper()
	for {
		if c := receive(t, f.changes, fmt.Sprint("a change of kind ", kind)); c.Kind == kind {
			return c
		}
	}
}
