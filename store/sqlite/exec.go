package sqlite

import (
	"context"
	"database/sql"
	"time"

	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// db runs statements: reads on the reader handle, writes on the writer handle.
type db struct{ *Store }

func (d db) Row(ctx context.Context, q backend.Query, args ...any) backend.Row {
	return backend.RowFunc(func(dest ...any) error {
		if q == backend.RotateTemporaryKey {
			return d.share(ctx, change{one: func(t transaction) error { return t.Row(q, args...).Scan(dest...) }})
		}
		p, err := d.statements(ctx)
		if err != nil {
			return err
		}
		return d.retryBusy(ctx, func() error { return scanOne(p.reader[q].QueryRowContext(ctx, args...), dest) })
	})
}

func scanOne(r *sql.Row, dest []any) error {
	err := r.Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return errors.NotFound()
	}
	return err
}

func (d db) Read(ctx context.Context, read func(backend.Rows) error, q backend.Query, args ...any) error {
	p, err := d.statements(ctx)
	if err != nil {
		return err
	}
	return d.retryBusy(ctx, func() error {
		rows, err := p.reader[q].QueryContext(ctx, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		return read(rows)
	})
}

func (d db) Exec(ctx context.Context, q backend.Query, args ...any) (int64, error) {
	var affected int64 // may be written after an error was returned
	err := d.share(ctx, change{one: func(t transaction) (err error) {
		affected, err = t.affect(q, args...)
		return err
	}})
	if err != nil {
		return 0, err
	}
	return affected, nil
}

func (d db) Transaction(ctx context.Context, do func(backend.Tx) error) error {
	return d.share(ctx, change{several: func(t transaction) error { return do(t) }})
}

// makeAlone makes a change in its own transaction. It takes the write lock first,
// so that nothing it reads changes before it writes.
func (s *Store) makeAlone(ctx context.Context, w statements, c change) error {
	if c.one != nil {
		return c.one(transaction{ctx: ctx, statements: w})
	}
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after a commit
	t := newTransaction(ctx, tx, w)
	if err := t.Exec(lock); err != nil {
		return err
	}
	if err := c.several(t); err != nil {
		return err
	}
	return tx.Commit()
}

// transaction runs prepared queries in a transaction. If tx is nil, each query
// is one.
type transaction struct {
	ctx        context.Context
	tx         *sql.Tx
	statements statements
	bound      statements // those that were used in tx
}

func newTransaction(ctx context.Context, tx *sql.Tx, s statements) transaction {
	return transaction{ctx, tx, s, make(statements)}
}

func (t transaction) statement(q backend.Query) *sql.Stmt {
	if t.tx == nil {
		return t.statements[q]
	}
	if t.bound[q] == nil {
		t.bound[q] = t.tx.StmtContext(t.ctx, t.statements[q])
	}
	return t.bound[q]
}

func (t transaction) Exec(q backend.Query, args ...any) error {
	_, err := t.statement(q).ExecContext(t.ctx, args...)
	return err
}

// affect is like Exec and returns the number of affected rows.
func (t transaction) affect(q backend.Query, args ...any) (int64, error) {
	result, err := t.statement(q).ExecContext(t.ctx, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (t transaction) Row(q backend.Query, args ...any) backend.Row {
	row := t.statement(q).QueryRowContext(t.ctx, args...)
	return backend.RowFunc(func(dest ...any) error { return scanOne(row, dest) })
}

func (t transaction) Import(clearNames backend.Query, keys []string, write backend.Query, rows [][]any) error {
	if clearNames != backend.None {
		if err := t.Exec(clearNames, encodeList(keys)); err != nil {
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

// write runs do when the earlier writes of this store are done, and wakes the
// watchers.
func (s *Store) write(ctx context.Context, do func() error) error {
	if _, err := s.turns.take(&pending{ctx: ctx}, s.life.Closed.Done()); err != nil {
		return err
	}
	defer s.turns.pass(nil)
	return s.writeNow(ctx, do)
}

// writeNow is the part of write that needs the turn.
func (s *Store) writeNow(ctx context.Context, do func() error) error {
	err := s.retryBusy(ctx, do)
	if err == nil {
		s.wakeWatchers()
	}
	return err
}

func (s *Store) wakeWatchers() {
	close(*s.changed.Swap(new(make(chan struct{}))))
}

// newBackoff returns the pauses between attempts while the file is locked.
func newBackoff() backend.Backoff {
	return backend.Backoff{First: time.Millisecond, Longest: 20 * time.Millisecond}
}

// retryBusy retries do while the file is locked, up to the busy timeout. It
// does not use the busy timeout of SQLite, which is a setting of each
// connection and must not be changed on a handle of the caller.
func (s *Store) retryBusy(ctx context.Context, do func() error) error {
	err := do()
	if !isBusy(err) || s.busyTimeout < 0 {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, s.busyTimeout)
	defer cancel()
	for b := newBackoff(); isBusy(err) && b.Pause(waiting) == nil; {
		err = do()
	}
	return err
}

// isBusy reports whether nothing was done because the file was locked.
func isBusy(err error) bool {
	primary := code(err) & 0xff
	return primary == codes.SQLITE_BUSY || primary == codes.SQLITE_LOCKED
}

// UniqueViolation implements [backend.DB]. SQLite may report either the key or
// the name if both are taken.
func (db) UniqueViolation(err error) (taken, key bool) {
	c := code(err)
	return c == codes.SQLITE_CONSTRAINT_UNIQUE || c == codes.SQLITE_CONSTRAINT_PRIMARYKEY, false
}

// code returns the extended result code of an SQLite error, and 0 for any other
// error.
func code(err error) int {
	if refusal, ok := errors.AsType[*sqlite.Error](err); ok {
		return refusal.Code()
	}
	return 0
}
