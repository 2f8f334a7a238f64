package postgres_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/postgres"
	"github.com/onezone-go/onezone/store/transfer"
)

// whole returns all records of the archive.
func whole(tb testing.TB, s *postgres.Store) []store.Record {
	tb.Helper()
	var all []store.Record
	for page, err := range transfer.Walk(context.Background(), s, transfer.Position{}, store.MaxPage) {
		require.NoError(tb, err)
		all = append(all, page.Records...)
	}
	return all
}

// prepare writes the records that calls use.
func prepare(tb testing.TB, s *postgres.Store) {
	tb.Helper()
	require.NoError(tb, s.CreateIdentity(context.Background(), newUser("alice")))
	require.NoError(tb, second(s.CreateToken(context.Background(), newToken("a"), 0)))
	_, err := s.RotateTemporaryKey(context.Background(), alice, store.NewSecret("temporary"))
	require.NoError(tb, err)
}

func TestConnectionCutDuringATransaction(t *testing.T) {
	t.Parallel()
	direct, p := newPool(t, nil), newProxy(t)
	schema := newSchema(t, direct)
	watcher := storeIn(t, direct, schema)
	prepare(t, watcher)
	s := storeIn(t, newPoolAt(t, p.url, parameter("application_name", "cut")), schema)
	before := whole(t, watcher)
	for name, cut := range map[string]func(){
		"by the network": p.cut,
		"by the server": func() {
			execute(t, direct, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cut'")
		},
	} {
		requireOperational(t, s.UpdateToken(t.Context(), "a", func(token *store.Token) error {
			token.Name, token.Revoked = "changed", true
			cut()
			return nil
		}), name)
		requireOperational(t, s.UpdateIdentity(t.Context(), alice, func(i *store.Identity) error {
			i.Username, i.Blocked = "changed", true
			cut()
			return nil
		}), name)
		require.Equal(t, before, whole(t, watcher), "%s: half of a change was written", name)
		eventually(t, func() bool { return s.UpdateToken(t.Context(), "a", func(*store.Token) error { return nil }) == nil },
			"the pool does not recover")
	}
}

// TestConnectionCutAnywhere cuts imports and updates at many positions between
// the first and the last byte of the connection.
func TestConnectionCutAnywhere(t *testing.T) {
	t.Parallel()
	direct, p := newPool(t, nil), newProxy(t)
	schema := newSchema(t, direct)
	watcher := storeIn(t, direct, schema)
	const size = 20
	var records []store.Record
	for i := range size {
		user, token := newUser(fmt.Sprint("user", i)), newToken(fmt.Sprint("token", i))
		records = append(records, store.Record{Identity: &user}, store.Record{Token: &token},
			store.Record{Temporary: &store.Temporary{Subject: user.Subject, Secret: user.Password, Generation: 1}})
	}
	// converse imports over a new pool and counts all its bytes.
	converse := func() error {
		pool := newPoolAt(t, p.url, nil)
		defer pool.Close()
		p.passed.Store(0)
		return postgres.New(pool, postgres.Options{Schema: schema}).Import(t.Context(), records)
	}
	require.NoError(t, converse())
	total := p.passed.Load()
	require.Len(t, whole(t, watcher), len(records))

	failures, written := 0, 0
	const cuts = 60
	for i := range cuts {
		for _, table := range []string{"tokens", "identities", "temporary_keys"} {
			execute(t, direct, "DELETE FROM "+quote(schema, table))
		}
		p.budget.Store(total * int64(i) / cuts)
		err := converse()
		p.budget.Store(unlimited)
		// The server may still commit or roll back.
		eventually(t, func() bool { return idle(t, direct, schema) }, "a transaction did not end")
		n := len(whole(t, watcher))
		require.Contains(t, []int{0, len(records)}, n, "a part of an import was written")
		if err == nil {
			require.Len(t, records, n, "an acknowledged import was lost")
			written++
			continue
		}
		requireOperational(t, err)
		failures++
	}
	require.Greater(t, failures, cuts/2, "the cuts did not make calls fail")
}

// idle reports whether no session has a transaction that uses the schema.
func idle(tb testing.TB, pool *pgxpool.Pool, schema string) bool {
	tb.Helper()
	var n int
	err := pool.QueryRow(context.Background(), `SELECT count(*) FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation
		JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = $1`, schema).Scan(&n)
	require.NoError(tb, err)
	return n == 0
}

func TestContextEndsWhileACallIsInFlight(t *testing.T) {
	t.Parallel()
	direct := newPool(t, nil)
	schema := newSchema(t, direct)
	watcher := storeIn(t, direct, schema)
	prepare(t, watcher)
	before := whole(t, watcher)
	s := storeIn(t, newPoolAt(t, named(t, "canceled"), nil), schema)
	for _, call := range calls(s) {
		t.Run(call.name, func(t *testing.T) {
			unlock := lockTables(t, direct, schema)
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- call.do(ctx) }()
			eventually(t, func() bool { return backends(t, direct, "canceled", waiting) > 0 }, "the call did not reach the server")
			cancel()
			err := receive(t, ended, "the call ends with its context")
			require.ErrorIs(t, err, context.Canceled)
			requireOperational(t, err)
			eventually(t, func() bool { return backends(t, direct, "canceled", waiting) == 0 }, "the server continued the call")
			unlock()
			require.Equal(t, before, whole(t, watcher), "the call wrote")
		})
	}
}

// lockTables locks the tables until the returned function is called.
func lockTables(t *testing.T, pool *pgxpool.Pool, schema string) (unlock func()) {
	t.Helper()
	tx, err := pool.Begin(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	for _, table := range []string{"tokens", "identities", "temporary_keys", "uses", "schema_version"} {
		_, err := tx.Exec(t.Context(), "LOCK TABLE "+quote(schema, table)+" IN ACCESS EXCLUSIVE MODE")
		require.NoError(t, err)
	}
	return func() { require.NoError(t, tx.Rollback(t.Context())) }
}

func TestContextEndsWithinAChange(t *testing.T) {
	t.Parallel()
	s := newStore(t, newPool(t, nil))
	prepare(t, s)
	before := whole(t, s)
	for _, call := range []func(context.Context, context.CancelFunc) error{
		func(ctx context.Context, cancel context.CancelFunc) error {
			return s.UpdateToken(ctx, "a", func(token *store.Token) error {
				token.Revoked = true
				cancel()
				return nil
			})
		},
		func(ctx context.Context, cancel context.CancelFunc) error {
			return s.UpdateIdentity(ctx, alice, func(i *store.Identity) error {
				i.Blocked = true
				cancel()
				return nil
			})
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		err := call(ctx, cancel)
		require.ErrorIs(t, err, context.Canceled)
		requireOperational(t, err)
	}
	require.Equal(t, before, whole(t, s))
	require.NoError(t, s.UpdateToken(t.Context(), "a", revoke), "the row is still locked")
}

func TestChangeThatPanicsLeavesNothingLocked(t *testing.T) {
	t.Parallel()
	s := newStore(t, newPool(t, nil))
	prepare(t, s)
	require.PanicsWithValue(t, "change", func() {
		_ = s.UpdateToken(t.Context(), "a", func(*store.Token) error { panic("change") })
	})
	require.NoError(t, s.UpdateToken(t.Context(), "a", revoke))
}
