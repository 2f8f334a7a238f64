package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"time"

	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// readOne runs a query for one row and scans it. notFound: there is none.
func readOne[T any](ctx context.Context, s *Store, scan func(row) (T, error), q query, args ...any) (found T, err error) {
	p, err := s.statements(ctx)
	if err != nil {
		return found, err
	}
	err = s.patiently(ctx, func() error {
		found, err = scanOne(scan, p.reader[q].QueryRowContext(ctx, args...))
		return err
	})
	return found, err
}

// row is one row of a result.
type row interface{ Scan(dest ...any) error }

func scanOne[T any](scan func(row) (T, error), r *sql.Row) (T, error) {
	found, err := scan(r)
	if errors.Is(err, sql.ErrNoRows) {
		return found, errors.NotFound()
	}
	return found, err
}

// readPage runs a query for rows and scans them. The query's limit is one row
// more than size; that there is such a row makes more true.
func readPage[T any](ctx context.Context, s *Store, scan func(row) (T, error), size int, q query, args ...any) (page []T, more bool, err error) {
	p, err := s.statements(ctx)
	if err != nil {
		return nil, false, err
	}
	err = s.patiently(ctx, func() error {
		page, err = scanAll(ctx, scan, p.reader[q], args...)
		return err
	})
	if err != nil || len(page) <= size {
		return page, false, err
	}
	return page[:size], true, nil
}

func scanAll[T any](ctx context.Context, scan func(row) (T, error), statement *sql.Stmt, args ...any) (all []T, err error) {
	rows, err := statement.QueryContext(ctx, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// exec runs a statement that writes, and returns how many rows it was about.
func (s *Store) exec(ctx context.Context, q query, args ...any) (affected int64, err error) {
	p, err := s.statements(ctx)
	if err != nil {
		return 0, err
	}
	err = s.inTurn(ctx, func() error {
		result, err := p.writer[q].ExecContext(ctx, args...)
		if err != nil {
			return err
		}
		affected, err = result.RowsAffected()
		return err
	})
	return affected, err
}

// inTransaction runs do in a transaction that has the write lock from the
// beginning, so that nothing it reads changes before it writes.
func (s *Store) inTransaction(ctx context.Context, do func(transaction) error) error {
	p, err := s.statements(ctx)
	if err != nil {
		return err
	}
	return s.inTurn(ctx, func() error {
		tx, err := s.writer.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() // does nothing after a commit
		t := transaction{ctx, tx, p.writer}
		if err := t.exec(lock); err != nil {
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
	statements *statements
}

func (t transaction) statement(q query) *sql.Stmt { return t.tx.StmtContext(t.ctx, t.statements[q]) }

func (t transaction) exec(q query, args ...any) error {
	_, err := t.statement(q).ExecContext(t.ctx, args...)
	return err
}

func (t transaction) row(q query, args ...any) *sql.Row {
	return t.statement(q).QueryRowContext(t.ctx, args...)
}

// inTurn does something that writes when those have written that came before,
// and tells the watchers. Without taking turns, writers would find the file
// locked and come back at random times, some of them late.
func (s *Store) inTurn(ctx context.Context, write func() error) error {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closed.Done():
		return store.ErrClosed
	}
	defer func() { <-s.turn }()
	err := s.patiently(ctx, write)
	if err == nil {
		s.changed.ring()
	}
	return err
}

// maxPause is the longest pause before a call tries again.
const maxPause = 20 * time.Millisecond

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
	for attempt := 0; isBusy(err) && pause(waiting, min(time.Millisecond<<min(attempt, 10), maxPause)); attempt++ {
		err = do()
	}
	return err
}

// pause waits for a random part of the time, so that those who were in each
// other's way do not meet again. It reports whether ctx is not done.
func pause(ctx context.Context, most time.Duration) bool {
	timer := time.NewTimer(rand.N(most))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// isBusy reports whether nothing was done because others had locked the file.
func isBusy(err error) bool {
	primary := code(err) & 0xff
	return primary == codes.SQLITE_BUSY || primary == codes.SQLITE_LOCKED
}

// isOccupied reports whether a row was refused because of another one.
func isOccupied(err error) bool {
	c := code(err)
	return c == codes.SQLITE_CONSTRAINT_UNIQUE || c == codes.SQLITE_CONSTRAINT_PRIMARYKEY
}

// code returns the extended result code of a refusal by SQLite, 0 for any other
// error.
func code(err error) int {
	if refusal, ok := errors.AsType[*driver.Error](err); ok {
		return refusal.Code()
	}
	return 0
}

// occupied turns the refusal of a second record of one name into the error of
// the catalogue.
func occupied(err error, key string) error {
	if isOccupied(err) {
		return errors.BadValueIdentifierOccupied(key)
	}
	return err
}

// taken turns the refusal of a new record into the error of the catalogue: the
// key is taken, or if it is not, the name. Where both are, SQLite tells of
// either, so lookUp tells whether the key is there.
func taken(err error, name string, lookUp func() error) error {
	if !isOccupied(err) {
		return err
	}
	switch found := lookUp(); {
	case found == nil:
		return errors.AlreadyExists()
	case errors.Is(found, errors.IDNotFound):
		return errors.BadValueIdentifierOccupied(name)
	default:
		return found
	}
}

func second[T any](_ T, err error) error { return err }

// outcome is what a call returns: an error of the catalogue as it is, any other
// as the environment's.
func (s *Store) outcome(ctx context.Context, doing string, err error) error {
	if _, ok := errors.AsType[*errors.Error](err); ok || err == nil {
		return err
	}
	return s.environment(ctx, doing, err)
}

// environment wraps the error of a call that the environment made fail. The
// handle has errors of its own for what the end of a context or of the store
// brings about.
func (s *Store) environment(ctx context.Context, doing string, err error) error {
	if ctx.Err() != nil {
		err = ctx.Err()
	} else if s.closed.Err() != nil {
		err = store.ErrClosed
	}
	return fmt.Errorf("%s: %w", doing, err)
}
