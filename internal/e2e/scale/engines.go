//go:build unix

package main

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/pgtest"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/postgres"
	"github.com/onezone-go/onezone/store/sqlite"
)

// newEngine starts an engine with its files in a temporary directory, which
// Close removes.
func newEngine(name string) (engine, error) {
	switch name {
	case "sqlite":
		dir, err := os.MkdirTemp("", "onezone-scale-")
		return sqliteEngine{dir}, err
	case "postgres":
		server, err := pgtest.New("shared_buffers=2GB", "max_wal_size=1GB", "checkpoint_timeout=15min")
		return postgresEngine{server}, err
	case "memory":
		return newMemoryEngine(), nil
	case "redis":
		return newRedisEngine()
	}
	return nil, fmt.Errorf("unknown engine %q; the engines to measure are memory, sqlite, postgres and redis", name)
}

// sqliteEngine is a file of SQLite.
type sqliteEngine struct{ dir string }

func (e sqliteEngine) path() string { return filepath.Join(e.dir, "onezone.db") }

// load uses a large cache and neither a log nor waits for the disk: the load
// can be repeated.
func (e sqliteEngine) load(ctx context.Context) (store.Store, error) {
	settings := url.Values{"_pragma": {"journal_mode(MEMORY)", "synchronous(OFF)", "cache_size(-1500000)", "secure_delete(ON)"}}
	db, err := sql.Open("sqlite", "file:"+e.path()+"?"+settings.Encode())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	s := sqlite.New(db, sqlite.Options{})
	if err := s.Migrate(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return sqliteLoad{s, db}, nil
}

// sqliteLoad closes the handle of a bulk load with its store.
type sqliteLoad struct {
	*sqlite.Store
	db *sql.DB
}

func (l sqliteLoad) Close() error { return errors.Join(l.Store.Close(), l.db.Close()) }

func (e sqliteEngine) open(ctx context.Context) (store.Store, error) {
	s, err := sqlite.Open(ctx, e.path(), sqlite.Options{})
	if err != nil {
		return nil, err
	}
	return s, s.Migrate(ctx)
}

func (e sqliteEngine) cool() error { return forget(e.dir) }

func (e sqliteEngine) size() (int64, error) { return sizeOf(e.path()) }

func (e sqliteEngine) backup(ctx context.Context, s store.Store) (int64, error) {
	path := filepath.Join(e.dir, "backup.db")
	if err := s.(*sqlite.Store).Backup(ctx, path); err != nil {
		return 0, err
	}
	return sizeOf(path)
}

func (e sqliteEngine) importers() int { return 2 }

func (e sqliteEngine) Close() error { return os.RemoveAll(e.dir) }

func sizeOf(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// postgresEngine is a server of PostgreSQL, with the durability that is its
// default.
type postgresEngine struct{ *pgtest.Server }

// load uses no feed, and commits without waiting for the disk. A crash during
// the load may damage the tables.
func (e postgresEngine) load(ctx context.Context) (store.Store, error) {
	if err := e.exec("ALTER SYSTEM SET full_page_writes = off", "SELECT pg_reload_conf()"); err != nil {
		return nil, err
	}
	s, err := postgres.Open(ctx, e.URL+"&synchronous_commit=off", postgres.Options{NoFeed: true})
	if err != nil {
		return nil, err
	}
	return s, s.Migrate(ctx)
}

func (e postgresEngine) open(ctx context.Context) (store.Store, error) {
	s, err := postgres.Open(ctx, e.URL, postgres.Options{})
	if err != nil {
		return nil, err
	}
	return s, s.Migrate(ctx)
}

// cool restarts the server, whose own memory is then empty too. The tables are
// vacuumed before, because a server does that after a load sooner or later.
func (e postgresEngine) cool() error {
	if err := e.exec("VACUUM (ANALYZE)", "ALTER SYSTEM RESET full_page_writes"); err != nil {
		return err
	}
	if err := e.Stop("fast"); err != nil {
		return err
	}
	return errors.Join(forget(e.Dir()), e.Start())
}

func (e postgresEngine) size() (bytes int64, err error) {
	return bytes, e.query(func(ctx context.Context, pool *pgxpool.Pool) error {
		const query = `SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class WHERE relkind = 'r' AND relnamespace = 'onezone'::regnamespace`
		return pool.QueryRow(ctx, query).Scan(&bytes)
	})
}

func (e postgresEngine) exec(statements ...string) error {
	return e.query(func(ctx context.Context, pool *pgxpool.Pool) error {
		for _, statement := range statements {
			if _, err := pool.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
}

func (e postgresEngine) query(do func(context.Context, *pgxpool.Pool) error) error {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, e.URL)
	if err != nil {
		return err
	}
	defer pool.Close()
	return do(ctx, pool)
}

// backup writes what "onezone store backup" writes, but not to a disk.
func (e postgresEngine) backup(ctx context.Context, s store.Store) (size int64, err error) {
	return size, s.(*postgres.Store).Snapshot(ctx, func(ctx context.Context, x store.Exporter) (err error) {
		size, err = export(ctx, x)
		return err
	})
}

func (e postgresEngine) importers() int { return 2 }

// forget makes the system drop what it keeps in memory of the files in a
// directory.
func forget(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if errors.Is(err, fs.ErrPermission) {
			return nil // a file that nobody measures
		}
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), dropCached(f), f.Close())
	})
}
