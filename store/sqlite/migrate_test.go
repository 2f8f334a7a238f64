package sqlite_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/formerrelease"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/sqlite"
)

func TestMigrateTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := openAt(t, path, sqlite.Options{})
	populate(t, s)
	require.NoError(t, s.Close())
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	s = openAt(t, path, sqlite.Options{}) // which migrates
	require.NoError(t, s.Migrate(t.Context()))
	require.NoError(t, s.Close())
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after)
}

func TestMigrateSharesTheFileWithAnApplication(t *testing.T) {
	t.Parallel()
	db := newHandle(t, newPath(t))
	for _, table := range []string{"tokens", "identities", "schema_version"} {
		execute(t, db, "CREATE TABLE "+table+" (x)")
	}
	populate(t, newOver(t, db, sqlite.Options{}))
	require.Zero(t, ask[int](t, db, "SELECT count(*) FROM sqlite_schema WHERE type <> 'index' AND name NOT LIKE 'onezone!_%' ESCAPE '!'")-3)
}

// TestMigrateConcurrently migrates one file from ten stores and some processes.
func TestMigrateConcurrently(t *testing.T) {
	t.Parallel()
	for range 3 {
		path := newPath(t)
		processes := make([]process, 4)
		for i := range processes {
			processes[i] = start(t, "migrate", path)
		}
		for _, p := range processes {
			p.goAhead(t)
		}
		for _, err := range atOnce(10, func(int) error {
			s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			if err != nil {
				return err
			}
			return errors.Join(s.Migrate(t.Context()), s.Close())
		}) {
			require.NoError(t, err)
		}
		for _, p := range processes {
			require.NoError(t, p.Wait())
		}
		populate(t, openAt(t, path, sqlite.Options{}))
	}
}

func TestCallsBeforeMigrateFail(t *testing.T) {
	t.Parallel()
	s, err := sqlite.Open(t.Context(), newPath(t), sqlite.Options{})
	require.NoError(t, err)
	defer s.Close()
	for _, c := range calls(s) {
		if c.name != "Migrate" {
			err := c.do(t.Context())
			requireOperational(t, err, c.name)
			require.ErrorContains(t, err, "call Migrate", c.name)
		}
	}
	require.ErrorContains(t, s.Watch(t.Context(), func(store.Change) {}), "call Migrate")
	require.NoError(t, s.Migrate(t.Context()))
	populate(t, s)
}

func TestTablesOfANewerReleaseAreRejected(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	old := openAt(t, path, sqlite.Options{})
	populate(t, old)
	db := newHandle(t, path)
	newer := sqlite.LatestVersion() + 1
	execute(t, db, "UPDATE onezone_schema_version SET version = ?", newer)
	before := contents(t, old)

	requireRefused := func(err error, about ...any) {
		t.Helper()
		requireOperational(t, err, about...)
		require.ErrorContains(t, err, fmt.Sprintf("the tables have version %d", newer), about...)
		require.ErrorContains(t, err, "newer release", about...)
		require.ErrorIs(t, err, store.ErrSchema, about...)
	}
	requireRefused(second(sqlite.Open(t.Context(), path, sqlite.Options{})))
	s := sqlite.New(db, sqlite.Options{})
	for _, c := range calls(s) {
		requireRefused(c.do(t.Context()), c.name)
	}
	requireRefused(s.Watch(t.Context(), func(store.Change) {}))
	require.Equal(t, before, contents(t, old), "the rejected store wrote to the file")
	require.Equal(t, newer, ask[int](t, db, "SELECT version FROM onezone_schema_version"))
}

// A file of the first release is upgraded and keeps its records.
func TestMigrateAddsRightsToFilesOfTheFirstRelease(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	db := newHandle(t, path)
	tables, err := os.ReadFile("schema/tables.sql")
	require.NoError(t, err)
	for _, statement := range []string{
		string(tables),
		"CREATE TABLE onezone_schema_version (one_row INTEGER PRIMARY KEY CHECK (one_row = 1), version INTEGER NOT NULL) STRICT",
		"INSERT INTO onezone_schema_version VALUES (1, 1)",
		"INSERT INTO onezone_identities VALUES ('usr-alice', 'alice', 'Alice', x'01', 1, 7)",
	} {
		execute(t, db, statement)
	}
	s := openAt(t, path, sqlite.Options{})
	want := store.Identity{Subject: alice, Username: "alice", FullName: "Alice", Password: store.NewSecret("\x01"), Blocked: true, Created: 7}
	got, err := s.GetIdentity(t.Context(), alice)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.NoError(t, s.UpdateIdentity(t.Context(), alice, func(i *store.Identity) error {
		i.Rights = []string{"oz_tokens_manage"}
		return nil
	}))
	got, err = s.GetIdentity(t.Context(), alice)
	require.NoError(t, err)
	require.Equal(t, []string{"oz_tokens_manage"}, got.Rights)
}

// TestMigrateKeepsTheRecordsOfVersion2 migrates a file that the release before
// wrote.
func TestMigrateKeepsTheRecordsOfVersion2(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	execute(t, newHandle(t, path), formerrelease.SQLite)
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	require.NoError(t, err)
	defer s.Close()
	_, err = s.GetToken(t.Context(), "a1")
	require.ErrorContains(t, err, "call Migrate")
	require.NoError(t, s.Migrate(t.Context()))
	formerrelease.RequireMigrated(t, s)
}
