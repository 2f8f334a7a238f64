package sqlite

import (
	"context"
	"database/sql"
	"time"

	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// db runs statements: those that read on one handle, those that write on the
// other.
type db struct{ *Store }

// Row implements [backend.DB].
func (d db) Row(ctx context.Context, q backend.Query, args ...any) backend.Row {
	return backend.RowFunc(func(dest ...any) error {
		p, err := d.statements(ctx)
		if err != nil {
			return err
		}
		if q == backend.RotateTemporaryKey {
			return d.inTurn(ctx, func() error { return scanOne(p.writer[q].QueryRowContext(ctx, args...), dest) })
		}
		return d.patiently(ctx, func() error { return scanOne(p.reader[q].QueryRowContext(ctx, args...), dest) })
	})
}

func scanOne(r *sql.Row, dest []any) error {
	err := r.Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return errors.NotFound()
	}
	return err
}

// Read implements [backend.DB].
func (d db) Read(ctx context.Context, read func(backend.Rows) error, q backend.Query, args ...any) error {
	p, err := d.statements(ctx)
	if err != nil {
		return err
	}
	return d.patiently(ctx, func() error {
		rows, err := p.reader[q].QueryContext(ctx, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		return read(rows)
	})
}

// Exec implements [backend.DB].
func (d db) Exec(ctx context.Context, q backend.Query, args ...any) (affected int64, err error) {
	p, err := d.statements(ctx)
	if err != nil {
		return 0, err
	}
	err = d.inTurn(ctx, func() error {
		result, err := p.writer[q].ExecContext(ctx, args...)
		if err != nil {
			return err
		}
		affected, err = result.RowsAffected()
		return err
	})
	return affected, err
}

// Transaction implements [backend.DB]. It has the write lock from the beginning,
// so that nothing it reads changes before it writes.
func (d db) Transaction(ctx context.Context, do func(backend.Tx) error) error {
	p, err := d.statements(ctx)
	if err != nil {
		return err
	}
	return d.inTurn(ctx, func() error {
		tx, err := d.writer.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() // does nothing after a commit
		t := transaction{ctx, tx, p.writer}
		if err := t.Exec(lock); err != nil {
			return err
		}
		if err := do(t); err != nil {
			return err
		}
		return tx.Commit()
	})
}

// transaction runs prepared queries in a transaction.
type transaction struct {
	ctx        context.Context
	tx         *sql.Tx
	statements statements
}

func (t transaction) statement(q backend.Query) *sql.Stmt {
	return t.tx.StmtContext(t.ctx, t.statements[q])
}

// Exec implements [backend.Tx].
func (t transaction) Exec(q backend.Query, args ...any) error {
	_, err := t.statement(q).ExecContext(t.ctx, args...)
	return err
}

// Row implements [backend.Tx].
func (t transaction) Row(q backend.Query, args ...any) backend.Row {
	row := t.statement(q).QueryRowContext(t.ctx, args...)
	return backend.RowFunc(func(dest ...any) error { return scanOne(row, dest) })
}

// Import implements [backend.Tx].
func (t transaction) Import(unname backend.Query, keys []string, write backend.Query, rows [][]any) error {
	if unname != backend.None {
		if err := t.Exec(unname, encodeList(keys)); err != nil {
			return err
		}
	}
	for _, args := range rows {
		if err := t.Exec(write, args...); err != nil {
			return err
		}
	}
	return nil
}

// inTurn does something that writes when those have written that came before,
// and tells the watchers. Without taking turns, writers would find the file
// locked and come back at random times, some of them late.
func (s *Store) inTurn(ctx context.Context, write func() error) error {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.life.Closed.Done():
		return store.ErrClosed
	}
	defer func() { <-s.turn }()
	err := s.patiently(ctx, write)
	if err == nil {
		next := make(chan struct{})
		close(*s.changed.Swap(&next))
	}
	return err
}

// newBackoff paces the attempts of those who find the file locked.
func newBackoff() backend.Backoff {
	return backend.Backoff{First: time.Millisecond, Longest: 20 * time.Millisecond}
}

// patiently does what others may keep from being done until they do not, for
// the busy timeout at most. The busy timeout of SQLite itself would be a setting
// of each connection, and those of a caller's handle are not to be meddled with.
func (s *Store) patiently(ctx context.Context, do func() error) error {
	err := do()
	if !isBusy(err) || s.patience < 0 {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	for b := newBackoff(); isBusy(err) && b.Pause(waiting) == nil; {
		err = do()
	}
	return err
}

// isBusy reports whether nothing was done because others had locked the file.
func isBusy(err error) bool {
	primary := code(err) & 0xff
	return primary == codes.SQLITE_BUSY || primary == codes.SQLITE_LOCKED
}

// Taken implements [backend.DB]. Where both the key and the name are, SQLite tells
// of either.
func (db) Taken(err error) (taken, key bool) {
	c := code(err)
	return c == codes.SQLITE_CONSTRAINT_UNIQUE || c == codes.SQLITE_CONSTRAINT_PRIMARYKEY, false
}

// code returns the extended result code of a refusal by SQLite, 0 for any other
// error.
func code(err error) int {
	if refusal, ok := errors.AsType[*sqlite.Error](err); ok {
		return refusal.Code()
	}
	return 0
}
