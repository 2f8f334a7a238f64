package sqlite_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/sqlite"
)

// namesIn returns the names of all users in the file.
func namesIn(t *testing.T, path string) map[string]bool {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	names := map[string]bool{}
	for after, more := "", true; more; more = after != "" {
		var records []store.Record
		records, after, err = s.Export(t.Context(), store.IdentityRecords, after, store.MaxPage)
		require.NoError(t, err)
		for _, r := range records {
			names[r.Identity.Username] = true
		}
	}
	return names
}

// addUsers creates 2000 users, which take several steps of a copy.
func addUsers(t *testing.T, s *sqlite.Store) {
	t.Helper()
	records := make([]store.Record, 2000)
	for i := range records {
		u := newUser(fmt.Sprint("u", i))
		u.FullName = strings.Repeat("n", 1000)
		records[i].Identity = &u
	}
	require.NoError(t, s.Import(t.Context(), records))
}

// Each writer numbers its users, so that a copy of one moment has the first
// users of each, and all users that were there before.
func TestABackupIsTheStateOfOneMomentUnderLoad(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s, other := openAt(t, path, sqlite.Options{}), openAt(t, path, sqlite.Options{})
	addUsers(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for w, writer := range []*sqlite.Store{s, other} {
		writers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				_ = writer.CreateIdentity(ctx, newUser(fmt.Sprint("w", w, "-", i)))
			}
		})
	}
	for round := range 3 {
		copied := filepath.Join(t.TempDir(), "copy.db")
		require.NoError(t, s.Backup(t.Context(), copied))
		names := namesIn(t, copied)
		for i := range 2000 {
			require.True(t, names[fmt.Sprint("u", i)])
		}
		written := 0
		for w := range 2 {
			n := 0
			for names[fmt.Sprint("w", w, "-", n)] {
				n++
			}
			written += n
		}
		require.Len(t, names, 2000+written, "round %d: a later user is there, and an earlier one is not", round)
	}
	cancel()
	writers.Wait()
}

// A write between two steps of the copy does not make it begin again, or it
// would never end in a busy store.
func TestABackupIsTheStateAtItsBeginning(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s, other := openAt(t, path, sqlite.Options{}), openAt(t, path, sqlite.Options{})
	addUsers(t, s)
	written := 0
	ctx := &watched{Context: t.Context(), look: func() error {
		if written == 50 {
			return nil
		}
		written++
		return other.CreateIdentity(t.Context(), newUser(fmt.Sprint("during", written)))
	}}
	copied := newPath(t)
	require.NoError(t, s.Backup(ctx, copied))
	require.Greater(t, written, 3)
	require.Less(t, written, 50)
	names := namesIn(t, copied)
	require.False(t, names[fmt.Sprint("during", written)])
	require.False(t, names[fmt.Sprint("during", written-1)])
}

func TestABackupIsOneFileThatOnlyItsOwnerCanRead(t *testing.T) {
	t.Parallel()
	s := openAt(t, newPath(t), sqlite.Options{})
	require.NoError(t, s.CreateIdentity(t.Context(), newUser("alice")))
	copied := filepath.Join(t.TempDir(), "a copy?mode=ro#.db")
	require.NoError(t, s.Backup(t.Context(), copied))
	files, err := os.ReadDir(filepath.Dir(copied))
	require.NoError(t, err)
	require.Len(t, files, 1)
	about, err := files[0].Info()
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), about.Mode())
	require.Equal(t, map[string]bool{"alice": true}, namesIn(t, copied))

	require.ErrorIs(t, s.Backup(t.Context(), copied), fs.ErrExist)
	require.ErrorIs(t, s.Backup(t.Context(), filepath.Join(t.TempDir(), "no", "copy.db")), fs.ErrNotExist)
}

// Handles of the caller have other settings and one connection.
func TestABackupOverAHandleOfTheCaller(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"WAL", "DELETE"} {
		db := newHandle(t, newPath(t), "_pragma", "journal_mode("+mode+")")
		db.SetMaxOpenConns(1)
		s := newOver(t, db, sqlite.Options{})
		require.NoError(t, s.CreateIdentity(t.Context(), newUser("alice")))
		copied := newPath(t)
		require.NoError(t, s.Backup(t.Context(), copied))
		require.Equal(t, map[string]bool{"alice": true}, namesIn(t, copied))
		require.NoError(t, s.CreateIdentity(t.Context(), newUser("bob")), "the connection is free again")
	}
}

// After an error there is no file.
func TestAFailedBackupLeavesNoFile(t *testing.T) {
	t.Parallel()
	s := openAt(t, newPath(t), sqlite.Options{})
	addUsers(t, s)
	copied := newPath(t)
	requireNone := func() {
		files, err := os.ReadDir(filepath.Dir(copied))
		require.NoError(t, err)
		require.Empty(t, files)
	}
	failures := 0
	for s.Backup(endsAfter(t.Context(), failures), copied) != nil {
		failures++
		requireNone()
	}
	require.Greater(t, failures, 3, "the context is looked at before each step")
	require.NoError(t, os.Remove(copied))
	require.NoError(t, s.Close())
	require.ErrorIs(t, s.Backup(t.Context(), copied), store.ErrClosed)
	requireNone()
}

// watched is a context that calls look when its state is asked for.
type watched struct {
	context.Context
	look func() error
	mu   sync.Mutex
}

// Err implements [context.Context].
func (w *watched) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.look()
}

// endsAfter returns a context that ends after n looks at it.
func endsAfter(ctx context.Context, n int) context.Context {
	return &watched{Context: ctx, look: func() error {
		if n--; n < 0 {
			return context.Canceled
		}
		return nil
	}}
}
