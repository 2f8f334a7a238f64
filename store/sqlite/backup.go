package sqlite

import (
	"context"
	sqldriver "database/sql/driver"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"modernc.org/sqlite"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// backupStep is the number of pages that are copied between two checks of the
// context: 1 MiB with the usual pages.
const backupStep = 256

// Backup copies the database to a new file at path, which only its owner can
// read, with the online backup API of SQLite. [Open] opens the copy. The
// directory must exist.
//
// The copy is the state at the beginning of the call, whichever stores and
// processes write concurrently. They are not blocked; the write-ahead log
// grows until the call returns. With another journal mode, which only a handle
// of the caller can have, writers wait for the copy.
//
// If path exists, the error wraps [fs.ErrExist]. After any other error there is
// no file.
//
// [fs.ErrExist]: https://pkg.go.dev/io/fs#ErrExist
func (s *Store) Backup(ctx context.Context, path string) error {
	return backend.Do(ctx, s.life, "copy the database", func() error {
		path, err := filepath.Abs(path)
		if err != nil {
			return err
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		if err = errors.Join(f.Close(), s.backup(ctx, path)); err != nil {
			for _, suffix := range []string{"-journal", "-wal", "-shm"} {
				_ = os.Remove(path + suffix)
			}
			err = errors.Join(err, os.Remove(path))
		}
		return err
	})
}

// backup copies the database to an empty file.
func (s *Store) backup(ctx context.Context, path string) error {
	conn, err := s.reader.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	// Without a transaction, a write of another connection between two steps
	// would make the copy begin again.
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	err = s.retryBusy(ctx, func() error {
		var tables int
		return tx.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema`).Scan(&tables)
	})
	if err != nil {
		return err
	}
	return conn.Raw(func(raw any) error { return s.copyPages(ctx, raw, path) })
}

func (s *Store) copyPages(ctx context.Context, raw any, path string) (err error) {
	from, ok := raw.(interface {
		NewBackup(destination string) (*sqlite.Backup, error)
	})
	if !ok {
		return fmt.Errorf("the driver %T has no backup API; use modernc.org/sqlite", raw)
	}
	b, err := from.NewBackup(uri(path) + "?" + url.Values{"mode": {"rw"}, "_pragma": {"secure_delete(ON)"}}.Encode())
	if err != nil {
		return err
	}
	for more := true; more && err == nil; {
		if err = backend.Check(ctx, s.life, "copy the database"); err != nil {
			break
		}
		err = s.retryBusy(ctx, func() (err error) {
			more, err = b.Step(backupStep)
			return err
		})
	}
	if err != nil {
		return errors.Join(err, b.Finish())
	}
	// The last write to the copy is that of its close.
	var destination sqldriver.Conn
	if destination, err = b.Commit(); err != nil {
		return err
	}
	return destination.Close()
}
