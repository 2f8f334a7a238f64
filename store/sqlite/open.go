package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	// SQLite translated to Go: it needs no C compiler and runs wherever Go
	// does.
	"modernc.org/sqlite"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// Open returns a store over the file at path, and creates the file if it does
// not exist. The directory must exist. The path is always a file name, even
// ":memory:" or "file:x?mode=ro". The store uses write-ahead logging, one
// connection for writing and several for reading. [Store.Migrate] creates the
// tables.
//
// [store.ErrSchema]: a newer release created the tables. badData {key
// "synchronous"}: the value is unknown.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	const doing = "open a store in SQLite"
	if o.Synchronous > Off {
		return nil, errors.BadDataHint("synchronous", "synchronous must be Full, Normal or Off")
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	s, err := open(ctx, path, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	if err := backend.Do(ctx, s.life, doing, func() error { return s.check(ctx) }); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func open(ctx context.Context, path string, o Options) (*Store, error) {
	path, err := filepath.Abs(path) // independent of later changes of directory
	if err != nil {
		return nil, err
	}
	if err := create(path); err != nil {
		return nil, err
	}
	synchronous := map[Synchronous]string{0: "FULL", Full: "FULL", Normal: "NORMAL", Off: "OFF"}[o.Synchronous]
	writer, err := connect(path, url.Values{
		"_journal_mode": {"WAL"},
		"_synchronous":  {synchronous},
		"_pragma":       {"fullfsync(ON)"}, // on macOS: without it, writes stay in the cache of the disk
	}, 1)
	if err != nil {
		return nil, err
	}
	readers := o.Readers
	if readers <= 0 {
		readers = max(4, runtime.GOMAXPROCS(0))
	}
	reader, err := connect(path, url.Values{"_query_only": {"on"}}, readers)
	if err != nil {
		_ = writer.Close()
		return nil, err
	}
	s := New(writer, o)
	s.reader, s.owned = reader, true
	return s, nil
}

// creating serializes the creation of files. Closing a file drops all locks
// that the process holds on it, including those of other calls.
var creating sync.Mutex

// create creates an empty file with mode 0600 if there is none.
func create(path string) error {
	creating.Lock()
	defer creating.Unlock()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// connect returns a handle with up to n connections, which stay open. It does
// not connect yet.
func connect(path string, settings url.Values, n int) (*sql.DB, error) {
	settings.Set("mode", "rw") // only create creates files, with its mode
	settings.Set("_foreign_keys", "on")
	settings.Set("_defensive", "true")
	settings.Set("_dqs", "false")
	settings.Set("_error_rc", "true")
	settings.Add("_pragma", "temp_store(MEMORY)") // no temporary files with secrets
	settings.Add("_pragma", "secure_delete(ON)")  // overwrite deleted data
	connector, err := sqlite.NewConnector(uri(path) + "?" + settings.Encode())
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// uri returns the URI of the file at an absolute path.
func uri(path string) string {
	slashed := filepath.ToSlash(path)
	if filepath.VolumeName(path) != "" {
		slashed = "/" + slashed
	}
	return "file:" + (&url.URL{Path: slashed}).EscapedPath()
}

// check connects and returns an error if the file cannot be used.
func (s *Store) check(ctx context.Context) error {
	var mode string
	err := s.retryBusy(ctx, func() error {
		return s.writer.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&mode)
	})
	if err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("write-ahead logging does not work for this file: the journal mode stays %q", mode)
	}
	_, err = s.version(ctx)
	return err
}
