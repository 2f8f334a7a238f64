package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/formerrelease"
	"github.com/onezone-go/onezone/internal/testing/pgtest"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/postgres"
)

// objects counts the objects in the schema.
func objects(tb testing.TB, pool *pgxpool.Pool, schema string) (n int) {
	tb.Helper()
	require.NoError(tb, pool.QueryRow(context.Background(), `SELECT
		(SELECT count(*) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind IN ('r', 'i')) +
		(SELECT count(*) FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname = $1) +
		(SELECT count(*) FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
			JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = $1)`, schema).Scan(&n))
	return n
}

// migrateTogether migrates a new schema from ten replicas concurrently, and
// returns its name.
func migrateTogether(t *testing.T, configure func(*pgxpool.Config)) {
	t.Helper()
	direct := newPool(t, nil)
	single := newSchema(t, direct)
	storeIn(t, direct, single)
	for range 3 {
		schema := newSchema(t, direct)
		stores := make([]*postgres.Store, 10)
		for i := range stores {
			stores[i] = postgres.New(newPool(t, configure), postgres.Options{Schema: schema})
		}
		for _, err := range atOnce(len(stores), func(i int) error { return stores[i].Migrate(t.Context()) }) {
			require.NoError(t, err)
		}
		require.Equal(t, objects(t, direct, single), objects(t, direct, schema), "the schema differs from that of a single replica")
		require.NoError(t, second(stores[0].CreateToken(t.Context(), newToken("a"), 0)))
		_, err := stores[9].NamedKey(t.Context(), "a")
		require.NoError(t, err)
	}
}

func TestTenReplicasMigrateConcurrently(t *testing.T) {
	t.Parallel()
	migrateTogether(t, func(c *pgxpool.Config) { c.MaxConns = 2 })
}

// TestTenReplicasMigrateWithoutLocks replaces the lock by a function that fails
// as in engines without advisory locks.
func TestTenReplicasMigrateWithoutLocks(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"refused":    `BEGIN RAISE EXCEPTION 'not supported' USING ERRCODE = 'feature_not_supported'; END`,
		"no such":    `BEGIN RAISE EXCEPTION 'no such function' USING ERRCODE = 'undefined_function'; END`,
		"no effects": `BEGIN END`,
	} {
		t.Run(name, func(t *testing.T) {
			direct := newPool(t, nil)
			shim := newSchema(t, direct)
			execute(t, direct, "CREATE SCHEMA "+quote(shim))
			execute(t, direct, "CREATE FUNCTION "+quote(shim, "pg_advisory_xact_lock")+"(bigint) RETURNS void LANGUAGE plpgsql AS $$ "+statement+" $$")
			migrateTogether(t, func(c *pgxpool.Config) {
				c.MaxConns = 2
				c.ConnConfig.RuntimeParams["search_path"] = quote(shim) + ", pg_catalog"
			})
		})
	}
}

func TestMigrateKeepsExistingRecords(t *testing.T) {
	t.Parallel()
	pool := newPool(t, nil)
	schema := newSchema(t, pool)
	s := storeIn(t, pool, schema)
	prepare(t, s)
	before, n := whole(t, s), objects(t, pool, schema)
	require.NoError(t, s.Migrate(t.Context()))
	// Also if all steps run again.
	execute(t, pool, "UPDATE "+quote(schema, "schema_version")+" SET version = 0")
	require.NoError(t, s.Migrate(t.Context()))
	require.Equal(t, before, whole(t, s))
	require.Equal(t, n, objects(t, pool, schema))
}

func TestNewerSchemaIsRejected(t *testing.T) {
	t.Parallel()
	pool := newPool(t, nil)
	schema := newSchema(t, pool)
	s := storeIn(t, pool, schema)
	execute(t, pool, "UPDATE "+quote(schema, "schema_version")+" SET version = $1", postgres.LatestVersion()+1)
	n := objects(t, pool, schema)
	_, opened := postgres.Open(t.Context(), pgtest.URL(t), postgres.Options{Schema: schema})
	for _, err := range []error{s.Migrate(t.Context()), opened} {
		requireOperational(t, err)
		require.ErrorContains(t, err, fmt.Sprintf("has version %d", postgres.LatestVersion()+1))
		require.ErrorContains(t, err, "newer release")
		require.ErrorIs(t, err, store.ErrSchema)
	}
	require.Equal(t, n, objects(t, pool, schema))
}

// TestNewerReplicaMigratesFirst lets a replica wait for the lock and then find
// the schema of a newer release.
func TestNewerReplicaMigratesFirst(t *testing.T) {
	t.Parallel()
	pool := newPool(t, nil)
	schema := newSchema(t, pool)
	s := postgres.New(newPoolAt(t, named(t, "slow"), nil), postgres.Options{Schema: schema})
	newer, err := pool.Begin(t.Context())
	require.NoError(t, err)
	defer newer.Rollback(context.Background())
	_, err = newer.Exec(t.Context(), "SELECT pg_advisory_xact_lock($1)", s.LockKey())
	require.NoError(t, err)
	migrated := make(chan error, 1)
	go func() { migrated <- s.Migrate(t.Context()) }()
	eventually(t, func() bool { return backends(t, pool, "slow", waiting) > 0 }, "the replica does not wait for the lock")
	for _, statement := range []string{
		"CREATE SCHEMA " + quote(schema),
		"CREATE TABLE " + quote(schema, "schema_version") + " AS SELECT true AS one_row, 1000000::bigint AS version, true AS feed",
	} {
		_, err := newer.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
	require.NoError(t, newer.Commit(t.Context()))
	err = receive(t, migrated, "the migration")
	requireOperational(t, err)
	require.ErrorContains(t, err, "newer release")
	require.ErrorIs(t, err, store.ErrSchema)
	require.Equal(t, 1, objects(t, pool, schema), "the newer schema was changed")
}

// TestMigrateNeedsNoRights uses a role that may only use the tables.
func TestMigrateNeedsNoRights(t *testing.T) {
	t.Parallel()
	pool := newPool(t, nil)
	schema := newSchema(t, pool)
	role := "onezone_" + fmt.Sprint(schemas.Add(1))
	execute(t, pool, "CREATE ROLE "+role)
	t.Cleanup(func() { execute(t, pool, "DROP OWNED BY "+role+"; DROP ROLE "+role) })
	limited := postgres.New(newPool(t, parameter("role", role)), postgres.Options{Schema: schema})

	err := limited.Migrate(t.Context())
	requireOperational(t, err)
	require.ErrorContains(t, err, "permission denied")

	// The administrator has created the schema: the role may create the tables.
	execute(t, pool, "CREATE SCHEMA "+quote(schema)+" AUTHORIZATION "+role)
	require.NoError(t, limited.Migrate(t.Context()))
	// The administrator has also created the tables: nothing is left to do.
	execute(t, pool, "REASSIGN OWNED BY "+role+" TO CURRENT_USER")
	execute(t, pool, "GRANT USAGE ON SCHEMA "+quote(schema)+" TO "+role)
	execute(t, pool, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "+quote(schema)+" TO "+role)
	require.NoError(t, limited.Migrate(t.Context()))
	prepare(t, limited)
	require.NoError(t, limited.UpdateToken(t.Context(), "a", revoke))
}

func TestFeedIsAddedLater(t *testing.T) {
	t.Parallel()
	pool := newPool(t, nil)
	schema := newSchema(t, pool)
	without := storeWith(t, pool, postgres.Options{Schema: schema, NoFeed: true})
	prepare(t, without)
	with := postgres.New(pool, postgres.Options{Schema: schema})
	for _, s := range []*postgres.Store{without, with} {
		err := s.Watch(t.Context(), func(c store.Change) { t.Errorf("the feed says %v", c) })
		require.ErrorIs(t, err, postgres.ErrNoFeed)
		requireOperational(t, err)
	}
	var triggers int
	const count = "SELECT count(*) FROM pg_trigger WHERE tgrelid = $1::text::regclass"
	require.NoError(t, pool.QueryRow(t.Context(), count, quote(schema, "tokens")).Scan(&triggers))
	require.Zero(t, triggers, "there are triggers without a feed")

	require.NoError(t, with.Migrate(t.Context()))
	f := watch(t, with)
	require.NoError(t, without.UpdateToken(t.Context(), "a", revoke))
	require.Equal(t, "a", f.next(t, store.TokenChanged).TokenID, "writes of stores without a feed are not reported")
	require.NoError(t, without.Migrate(t.Context()), "the feed of other stores is an error")
	require.NoError(t, without.DeleteToken(t.Context(), "a"))
	require.Equal(t, "a", f.next(t, store.TokenChanged).TokenID)
}

// A schema of the first release is upgraded and keeps its records.
func TestMigrateAddsRightsToTheSchemaOfTheFirstRelease(t *testing.T) {
	t.Parallel()
	pool := newPool(t, nil)
	schema := newSchema(t, pool)
	s := storeIn(t, pool, schema)
	alice := newUser("alice")
	require.NoError(t, s.CreateIdentity(t.Context(), alice))
	execute(t, pool, "ALTER TABLE "+quote(schema, "identities")+" DROP COLUMN rights")
	execute(t, pool, "UPDATE "+quote(schema, "schema_version")+" SET version = 1")
	upgraded := storeIn(t, pool, schema)
	got, err := upgraded.GetIdentity(t.Context(), alice.Subject)
	require.NoError(t, err)
	require.Equal(t, alice, got)
	require.NoError(t, upgraded.UpdateIdentity(t.Context(), alice.Subject, func(i *store.Identity) error {
		i.Rights = []string{"oz_tokens_manage"}
		return nil
	}))
	got, err = upgraded.GetIdentity(t.Context(), alice.Subject)
	require.NoError(t, err)
	require.Equal(t, []string{"oz_tokens_manage"}, got.Rights)
}

// TestMigrateKeepsTheRecordsOfVersion2 migrates a schema that the release
// before wrote.
func TestMigrateKeepsTheRecordsOfVersion2(t *testing.T) {
	t.Parallel()
	pool := newPool(t, nil)
	schema := newSchema(t, pool)
	dump := strings.ReplaceAll(formerrelease.Postgres, "onezone.", quote(schema)+".")
	execute(t, pool, strings.Replace(dump, "CREATE SCHEMA onezone", "CREATE SCHEMA "+quote(schema), 1))
	formerrelease.RequireMigrated(t, storeIn(t, pool, schema))
}
