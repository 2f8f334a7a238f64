package sqlite_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	driver "modernc.org/sqlite"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/sqlite"
)

// TestOpenAcceptsAnyFileName uses names with a meaning for SQLite, the driver,
// a shell or SQL.
func TestOpenAcceptsAnyFileName(t *testing.T) {
	if testing.Short() {
		t.Skip("the platform runs nothing concurrently")
	}
	t.Parallel()
	for _, name := range []string{
		"a b.db", "a?b=c", "?mode=memory", "a#b", "a%20b", "%00", "a%3Fb", "file:x", "file:x?mode=ro", ":memory:", "~",
		"x&_synchronous=OFF", "a+b", `a\b`, "a;b", "'; DROP TABLE x; --", `"`, "żółw 🐢", "a\nb", "\xff\xfe", "-wal", "a=b",
		"http:x", strings.Repeat("long", 50),
	} {
		dir := t.TempDir()
		s := openAt(t, filepath.Join(dir, name), sqlite.Options{})
		populate(t, s)
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		for _, entry := range entries {
			require.True(t, strings.HasPrefix(entry.Name(), filepath.Base(name)), "%q made the file %q", name, entry.Name())
			info, err := entry.Info()
			require.NoError(t, err)
			require.Equal(t, fs.FileMode(0o600), info.Mode(), entry.Name())
		}
		require.Len(t, entries, 3, "%q: the file, its log and the index of that", name)
		require.NoError(t, s.Close())
		require.NoError(t, second(openAt(t, filepath.Join(dir, name), sqlite.Options{}).NamedKey(t.Context(), "a")), name)
	}
}

// TestOpenKeepsTheFile changes the directory between two connections.
func TestOpenKeepsTheFile(t *testing.T) {
	t.Chdir(t.TempDir())
	s := openAt(t, "relative.db", sqlite.Options{})
	populate(t, s)
	t.Chdir(t.TempDir())
	reader, writer := s.Handles()
	reader.SetMaxIdleConns(0) // so that all reconnect
	writer.SetMaxIdleConns(0)
	require.NoError(t, second(s.NamedKey(t.Context(), "a")))
	require.NoError(t, s.UpdateToken(t.Context(), "a", revoke))
	require.NoFileExists(t, "relative.db")
}

func TestOpenKeepsTheModeOfAFile(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	require.NoError(t, os.WriteFile(path, nil, 0o640))
	require.NoError(t, os.Chmod(path, 0o640)) // whatever the umask
	populate(t, openAt(t, path, sqlite.Options{}))
	for _, file := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(file)
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o640), info.Mode(), file)
	}
}

func TestOpenReturnsOperationalErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	dangling := filepath.Join(dir, "dangling")
	require.NoError(t, os.Symlink(filepath.Join(dir, "nowhere"), dangling))
	text := filepath.Join(dir, "text")
	require.NoError(t, os.WriteFile(text, []byte(strings.Repeat("This is no database. ", 1000)), 0o600))
	for _, path := range []string{"", dir, dangling, text, "a\x00b", filepath.Join(dir, "no", "such.db"), filepath.Join(text, "x")} {
		s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		requireOperational(t, err, path)
		require.ErrorContains(t, err, "open a store in SQLite: ")
		require.Nil(t, s)
	}
	require.NoFileExists(t, filepath.Join(dir, "nowhere"), "the file was created through a link, without its mode")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 2, "something was made")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	path := newPath(t)
	require.ErrorIs(t, second(sqlite.Open(ctx, path, sqlite.Options{})), context.Canceled)
	require.NoFileExists(t, path)
	require.ErrorIs(t, second(sqlite.Open(t.Context(), path, sqlite.Options{Synchronous: 9})), errors.IDBadData)
	require.NoFileExists(t, path)
}

func TestOpenSetsUpItsConnections(t *testing.T) {
	t.Parallel()
	for synchronous, want := range map[sqlite.Synchronous]int{0: 2, sqlite.Full: 2, sqlite.Normal: 1, sqlite.Off: 0} {
		s := openAt(t, newPath(t), sqlite.Options{Synchronous: synchronous, Readers: 3})
		reader, writer := s.Handles()
		require.Equal(t, want, ask[int](t, writer, "PRAGMA synchronous"))
		require.Equal(t, "wal", ask[string](t, writer, "PRAGMA journal_mode"))
		require.Equal(t, 1, ask[int](t, writer, "PRAGMA foreign_keys"))
		require.Equal(t, 1, ask[int](t, writer, "PRAGMA fullfsync"))
		require.Equal(t, 2, ask[int](t, writer, "PRAGMA temp_store"))
		require.Equal(t, 1, writer.Stats().MaxOpenConnections)
		require.Equal(t, "wal", ask[string](t, reader, "PRAGMA journal_mode"))
		require.Equal(t, 1, ask[int](t, reader, "PRAGMA query_only"))
		require.Equal(t, 3, reader.Stats().MaxOpenConnections)
	}
}

func TestCloseClosesTheStoreAndItsHandles(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	opened := openAt(t, path, sqlite.Options{})
	populate(t, opened)
	db := newHandle(t, newPath(t))
	given := newOver(t, db, sqlite.Options{})
	populate(t, given)
	for _, s := range []*sqlite.Store{opened, given, sqlite.New(db, sqlite.Options{})} {
		require.NoError(t, s.Close())
		require.NoError(t, s.Close(), "the second time")
		for _, c := range calls(s) {
			err := c.do(t.Context())
			require.ErrorIs(t, err, store.ErrClosed, c.name)
			requireOperational(t, err, c.name)
		}
		require.ErrorIs(t, s.Watch(t.Context(), func(store.Change) {}), store.ErrClosed)
	}
	require.NoError(t, db.Ping(), "Close closed the handle of the caller")
	require.NoFileExists(t, path+"-wal", "the write-ahead log was not merged into the file")
}

// TestCloseLeavesNothingInTheHandle measures the memory of the prepared
// statements on a connection of the caller.
func TestCloseLeavesNothingInTheHandle(t *testing.T) {
	t.Parallel()
	db := newHandle(t, newPath(t))
	db.SetMaxOpenConns(1)
	prepared := func() (bytes int) {
		conn, err := db.Conn(t.Context())
		require.NoError(t, err)
		defer conn.Close()
		require.NoError(t, conn.Raw(func(c any) error {
			bytes, _, err = c.(driver.DBStatus).Status(driver.DBStatusStmtUsed, false)
			return err
		}))
		return bytes
	}
	s := newOver(t, db, sqlite.Options{})
	populate(t, s)
	require.NotZero(t, prepared())
	require.NoError(t, s.Close())
	require.Zero(t, prepared())
}

// TestCloseWaitsForTheWriteInFlight closes a store during an update.
func TestCloseWaitsForTheWriteInFlight(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	for _, s := range []*sqlite.Store{openAt(t, path, sqlite.Options{}), newOver(t, newHandle(t, path), sqlite.Options{})} {
		_ = s.DeleteToken(t.Context(), "a")
		require.NoError(t, second(s.CreateToken(t.Context(), newToken("a"), 0)))
		begun, goOn := make(chan struct{}), make(chan struct{})
		updated, closed := make(chan error, 1), make(chan error, 1)
		go func() {
			updated <- s.UpdateToken(context.Background(), "a", func(token *store.Token) error {
				close(begun)
				<-goOn
				return revoke(token)
			})
		}()
		receive(t, begun, "the update begins")
		go func() { closed <- s.Close() }()
		require.Eventually(t, func() bool { return errors.Is(second(s.NamedKey(context.Background(), "a")), store.ErrClosed) },
			testTimeout, time.Millisecond)
		require.Empty(t, closed, "Close returned before the write was done")
		close(goOn)
		require.NoError(t, receive(t, updated, "the update"))
		require.NoError(t, receive(t, closed, "the end of Close"))
		token, err := openAt(t, path, sqlite.Options{}).GetToken(t.Context(), "a")
		require.NoError(t, err)
		require.True(t, token.Revoked)
	}
}

// TestCloseUnderLoad closes stores while calls are in flight. Each call
// succeeds or reports that the store is closed, and acknowledged records are
// stored.
func TestCloseUnderLoad(t *testing.T) {
	t.Parallel()
	for range 5 {
		path := newPath(t)
		s := openAt(t, path, sqlite.Options{})
		populate(t, s)
		acknowledged := make([]int, 4)
		errs := atOnce(5, func(i int) error {
			if i == len(acknowledged) {
				for second(s.NamedKey(context.Background(), "last")) != nil {
				}
				return s.Close()
			}
			for {
				err := s.UpdateToken(context.Background(), "a", count)
				if i == 0 && acknowledged[0] == 5 {
					_ = second(s.CreateToken(context.Background(), newToken("last"), 0))
				}
				if err != nil {
					return err
				}
				acknowledged[i]++
			}
		})
		require.NoError(t, errs[len(acknowledged)])
		sum := 0
		for i, n := range acknowledged {
			require.ErrorIs(t, errs[i], store.ErrClosed)
			sum += n
		}
		token, err := openAt(t, path, sqlite.Options{}).GetToken(t.Context(), "a")
		require.NoError(t, err)
		require.EqualValues(t, sum, token.UsageCount)
	}
}
