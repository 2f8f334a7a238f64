package postgres_test

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/pgtest"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/postgres"
	"github.com/onezone-go/onezone/store/storetest"
)

func TestConformance(t *testing.T) {
	for name, configure := range map[string]func(*pgxpool.Config){
		"Defaults": nil,
		// Every statement is a serializable transaction, as in CockroachDB.
		"Serializable": parameter("default_transaction_isolation", "serializable"),
		// Without prepared statements, as behind some poolers.
		"Unprepared": func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec },
	} {
		t.Run(name, func(t *testing.T) {
			pool := newPool(t, configure)
			storetest.Run(t, func(t *testing.T) store.Store { return newStore(t, pool) })
		})
	}
}

func TestLookUpIsOneRoundTrip(t *testing.T) {
	t.Parallel()
	p := newProxy(t)
	s := newStore(t, newPoolAt(t, p.url, func(c *pgxpool.Config) {
		c.MaxConns = 1
		c.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
	}))
	prepare(t, s)
	lookUps := []func() error{
		func() error { return second(s.NamedKey(t.Context(), "a")) },
		func() error { return second(s.TemporaryKey(t.Context(), alice)) },
		func() error { return second(s.EnsureTemporaryKey(t.Context(), alice, store.NewSecret("unused"))) },
	}
	for _, lookUp := range lookUps {
		require.NoError(t, lookUp()) // which prepares the statement
	}
	for range 10 {
		for _, lookUp := range lookUps {
			before := p.asked.Load()
			require.NoError(t, lookUp())
			require.EqualValues(t, 1, p.asked.Load()-before, "round trips")
		}
	}
	// Creating a token reads the status of its subject again: see
	// TestNoTokenOfADeletedUserWorksForTheNextWithThatID in
	// internal/e2e/stores.
	created := 0
	create := func() {
		created++
		require.NoError(t, second(s.CreateToken(t.Context(), newToken(fmt.Sprint("token ", created)), store.HolderActive)))
	}
	create()
	for range 10 {
		before := p.asked.Load()
		create()
		require.EqualValues(t, 2, p.asked.Load()-before, "round trips")
	}
}

// TestReadOnlySessionsVerify uses read-only sessions, as on a standby.
func TestReadOnlySessionsVerify(t *testing.T) {
	t.Parallel()
	direct := newPool(t, nil)
	schema := newSchema(t, direct)
	primary := storeIn(t, direct, schema)
	prepare(t, primary)
	// Migrate succeeds, because nothing has to be done.
	s := storeIn(t, newPool(t, parameter("default_transaction_read_only", "on")), schema)
	reads := []string{
		"Migrate", "NamedKey", "TemporaryKey", "GetToken", "ListTokens", "ListTokenIDs", "CountTokens", "LastUses",
		"GetIdentity", "GetIdentityByUsername", "Export",
	}
	before := whole(t, primary)
	for _, call := range calls(s) {
		switch {
		case call.name == "Watch": // is for the primary
		case slices.Contains(reads, call.name):
			require.NoError(t, call.do(t.Context()), call.name)
		default:
			requireOperational(t, call.do(t.Context()), call.name)
		}
	}
	require.NoError(t, second(s.EnsureTemporaryKey(t.Context(), alice, store.NewSecret("unused"))), "there is one")
	require.Equal(t, before, whole(t, primary))
}

func TestSchemasAreIndependent(t *testing.T) {
	t.Parallel()
	pool := newPool(t, nil)
	one, other := newStore(t, pool), newStore(t, pool)
	f := watch(t, other)
	require.NoError(t, second(one.CreateToken(t.Context(), newToken("a"), 0)))
	require.NoError(t, second(other.CreateToken(t.Context(), newToken("a"), 0)))
	require.NoError(t, other.DeleteToken(t.Context(), "a"))
	_, err := one.NamedKey(t.Context(), "a")
	require.NoError(t, err)
	want := store.Change{Kind: store.TokenChanged, TokenID: "a"}
	require.Equal(t, want, receive(t, f.changes, "the change of this store"))
	require.Equal(t, want, receive(t, f.changes, "the change of this store"))
	require.Empty(t, f.changes, "a change of the other store was reported")
}

func TestAnySchemaNameWorks(t *testing.T) {
	t.Parallel()
	pool := newPool(t, nil)
	for _, name := range []string{
		`"; DROP TABLE x; --`, "żółw 🐢", "UPPER", "$1", "a.b", strings.Repeat("long", 30), strings.Repeat("ż", 32) + "!",
	} {
		t.Cleanup(func() { execute(t, pool, "DROP SCHEMA IF EXISTS "+quote(name)+" CASCADE") })
		s := storeIn(t, pool, name)
		require.NoError(t, s.Migrate(t.Context()), name)
		f := watch(t, s)
		require.NoError(t, second(s.CreateToken(t.Context(), newToken("a"), 0)), name)
		require.Equal(t, "a", f.next(t, store.TokenChanged).TokenID, name)
	}
}

func TestOpenCreatesItsOwnPool(t *testing.T) {
	t.Parallel()
	name := newSchema(t, newPool(t, nil))
	s, err := postgres.Open(t.Context(), pgtest.URL(t), postgres.Options{Schema: name})
	require.NoError(t, err)
	require.NoError(t, s.Migrate(t.Context()))
	require.NoError(t, second(s.CreateToken(t.Context(), newToken("a"), 0)))
	_, err = s.NamedKey(t.Context(), "a")
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "the second time")
}

func TestOpenFailsWithoutShowingThePassword(t *testing.T) {
	t.Parallel()
	const password = "p4ssw0rd"
	s, err := postgres.Open(t.Context(),
		"postgres://alice:"+password+"@127.0.0.1:1/db?sslmode=disable&connect_timeout=5", postgres.Options{})
	require.Nil(t, s)
	requireOperational(t, err)
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), password)
	for _, url := range []string{
		"postgres://alice:" + password + "@127.0.0.1:port/db",
		"postgres://alice:x@" + password + "@:@127.0.0.1/db",
		"postgres://alice:" + password + "@127.0.0.1/db?pool_max_conns=x",
		"host=127.0.0.1 password = " + password + " sslmode=bogus",
	} {
		s, err := postgres.Open(t.Context(), url, postgres.Options{})
		require.Nil(t, s)
		require.ErrorIs(t, err, errors.IDBadData)
		require.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), password)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = postgres.Open(ctx, pgtest.URL(t), postgres.Options{})
	require.ErrorIs(t, err, context.Canceled)
	requireOperational(t, err)
}

func TestPoolOfTheCallerStaysOpen(t *testing.T) {
	t.Parallel()
	pool := newPool(t, nil)
	s := newStore(t, pool)
	require.NoError(t, s.Close())
	require.NoError(t, pool.Ping(t.Context()))
}

func TestEveryCallFailsOnceClosed(t *testing.T) {
	t.Parallel()
	s := newStore(t, newPool(t, nil))
	f := watch(t, s)
	require.NoError(t, s.Close())
	err := receive(t, f.ended, "the feed ends")
	require.ErrorIs(t, err, store.ErrClosed)
	requireOperational(t, err)
	f.next(t, store.FeedDown)
	for _, call := range calls(s) {
		err := call.do(t.Context())
		require.ErrorIs(t, err, store.ErrClosed, call.name)
		requireOperational(t, err, call.name)
	}
}

func TestNothingRunsAfterClose(t *testing.T) {
	// A garbage collection would close leaked connections.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	pool := newPool(t, nil)
	schema := newSchema(t, pool)
	before := goroutines()
	s, err := postgres.Open(t.Context(), named(t, "leak"), postgres.Options{Schema: schema})
	require.NoError(t, err)
	require.NoError(t, s.Migrate(t.Context()))
	f := watch(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	for range 10 {
		go func() { _ = second(s.CreateToken(ctx, newToken("a"), 0)) }()
	}
	require.Greater(t, goroutines(), before, "the check does not see the open store")
	require.Positive(t, backends(t, pool, "leak"), "the check does not see the open store")
	cancel()
	require.NoError(t, s.Close())
	require.Error(t, receive(t, f.ended, "the feed ends"))
	eventually(t, func() bool { return goroutines() <= before }, "the store leaked goroutines")
	eventually(t, func() bool { return backends(t, pool, "leak") == 0 }, "the store leaked connections")
}

var stacks = make([]byte, 1<<20)

// goroutines counts the goroutines with a function of the store or the driver.
func goroutines() int {
	n := 0
	for stack := range bytes.SplitSeq(stacks[:runtime.Stack(stacks, true)], []byte("\n\n")) {
		if bytes.Contains(stack, []byte("store/postgres.")) || bytes.Contains(stack, []byte("jackc/")) {
			n++
		}
	}
	return n
}
