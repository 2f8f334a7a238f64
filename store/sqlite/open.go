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

	// The one SQLite for database/sql that needs no C compiler and runs wherever
	// Go does; it is the original, translated.
	"modernc.org/sqlite"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// Open returns a store over the file with the path, which it creates if it is not
// there, in a directory that is: a path is the name of a file whatever it looks
// like, ":memory:" and "file:x?mode=ro" too. It uses write-ahead logging, one
// connection for writing and several for reading. The tables are there after
// [Store.Migrate].
//
// [store.ErrSchema]: the tables are newer than this release knows. badData {key
// "synchronous"}: there is no such setting.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	const doing = "open a store in SQLite"
	if o.Synchronous > Off {
		return nil, errors.BadDataHint("synchronous", "a write can wait as Full, Normal or Off")
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
	path, err := filepath.Abs(path) // lest a change of directory lead to another file
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
		"_pragma":       {"fullfsync(ON)"}, // macOS, which alone has it, leaves writes in the cache of the disk without
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

// creating keeps the calls of a process from creating files at once: to close a
// file drops the locks that others in the process have on it by then.
var creating sync.Mutex

// create makes an empty file for its owner alone, if there is none.
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

// connect returns a handle with up to n connections, all of which it keeps. It
// does not connect yet.
func connect(path string, settings url.Values, n int) (*sql.DB, error) {
	settings.Set("mode", "rw") // nothing is created with another mode than that of create
	settings.Set("_foreign_keys", "on")
	settings.Set("_defensive", "true")
	settings.Set("_dqs", "false")
	settings.Set("_error_rc", "true")
	settings.Add("_pragma", "temp_store(MEMORY)") // pages with secrets in them go into no other file
	settings.Add("_pragma", "secure_delete(ON)")  // what is deleted is overwritten
	connector, err := sqlite.NewConnector(uri(path) + "?" + settings.Encode())
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// uri returns the URI of the file with the absolute path.
func uri(path string) string {
	slashed := filepath.ToSlash(path)
	if filepath.VolumeName(path) != "" {
		slashed = "/" + slashed
	}
	return "file:" + (&url.URL{Path: slashed}).EscapedPath()
}

// check connects, and reports what keeps the store from working as it should.
func (s *Store) check(ctx context.Context) error {
	var mode string
	err := s.patiently(ctx, func() error {
		return s.writer.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&mode)
	})
	if err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("write-ahead logging does not work here, the journal mode stays %q", mode)
	}
	_, err = s.version(ctx)
	return err
}
