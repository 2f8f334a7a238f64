package postgres

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/onezone-go/onezone/errors"
)

// SQLSTATE codes that mean something here.
const (
	uniqueViolation      = "23505"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
)

// queryOne runs a query for one row and scans it. notFound: there is none.
func queryOne[T any](ctx context.Context, s *Store, scan func(pgx.Row) (T, error), query string, args ...any) (found T, err error) {
	err = s.run(ctx, func(q querier) error {
		found, err = scan(q.QueryRow(ctx, query, args...))
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return found, errors.NotFound()
	}
	return found, err
}

// queryPage runs a query for rows and scans them. The query's limit is one row
// more than size; that there is such a row makes more true.
func queryPage[T any](ctx context.Context, s *Store, scan func(pgx.Row) (T, error), size int, query string, args ...any) (page []T, more bool, err error) {
	err = s.run(ctx, func(q querier) error {
		rows, err := q.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		page, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (T, error) { return scan(row) })
		return err
	})
	if err != nil || len(page) <= size {
		return page, false, err
	}
	return page[:size], true, nil
}

// exec runs a statement and returns how many rows it was about.
func (s *Store) exec(ctx context.Context, query string, args ...any) (affected int64, err error) {
	err = s.run(ctx, func(q querier) error {
		tag, err := q.Exec(ctx, query, args...)
		affected = tag.RowsAffected()
		return err
	})
	return affected, err
}

// querier is a connection or a transaction.
type querier interface {
	Exec(ctx context.Context, query string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) pgx.Row
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// run does something that is one statement: by itself, in one round trip, and
// where that cannot be serialized in a transaction. Where sessions are
// serializable, statements that wait for a row fail whenever it has changed, and
// might do so for ever.
func (s *Store) run(ctx context.Context, do func(querier) error) error {
	err := s.withConn(ctx, func(conn *pgxpool.Conn) error { return do(conn) })
	if !slices.Contains(transient, sqlState(err)) {
		return err
	}
	return s.inTransaction(ctx, func(tx pgx.Tx) error { return do(tx) })
}

// inTransaction runs do in a transaction, which sees what was committed before
// each statement: with a row locked, that is the last there is of it.
func (s *Store) inTransaction(ctx context.Context, do func(pgx.Tx) error) error {
	return retry(ctx, transient, func() error {
		return s.withConn(ctx, func(conn *pgxpool.Conn) error {
			return pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, do)
		})
	})
}

// maxAttempts bounds how often a transaction is run, and so, with maxPause, how
// long a caller waits for an engine that refuses again and again: a second at
// most.
const (
	maxAttempts = 12
	maxPause    = 100 * time.Millisecond
)

// transient are the codes by which an engine says that it has undone all, and
// that the same may succeed if tried again.
var transient = []string{serializationFailure, deadlockDetected}

// retry does what may fail with one of the codes until it does not.
func retry(ctx context.Context, codes []string, do func() error) error {
	for attempt := 1; ; attempt++ {
		err := do()
		if attempt == maxAttempts || !slices.Contains(codes, sqlState(err)) {
			return err
		}
		if err := pause(ctx, min(time.Millisecond<<attempt, maxPause)); err != nil {
			return err
		}
	}
}

// pause waits for a random part of the time, so that those who were in each
// other's way do not meet again.
func pause(ctx context.Context, most time.Duration) error {
	timer := time.NewTimer(rand.N(most))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sqlState returns the code of a refusal by the server, "" for any other error.
func sqlState(err error) string {
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok {
		return refusal.Code
	}
	return ""
}

// occupied turns the refusal of a second record of one name into the error of
// the catalogue.
func occupied(err error, key string) error {
	if sqlState(err) == uniqueViolation {
		return errors.BadValueIdentifierOccupied(key)
	}
	return err
}

// taken turns the refusal of a new record into the error of the catalogue: the
// key is taken, or if it is not, the name. Where both are, engines and databases
// differ in which they find first, so lookUp tells whether the key is there.
func taken(err error, name string, lookUp func() error) error {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || refusal.Code != uniqueViolation {
		return err
	}
	if strings.HasSuffix(refusal.ConstraintName, "_pkey") {
		return errors.AlreadyExists()
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
func outcome(doing string, err error) error {
	if _, ok := errors.AsType[*errors.Error](err); ok || err == nil {
		return err
	}
	return environment(doing, err)
}

// environment wraps the error of a call that the environment made fail.
func environment(doing string, err error) error {
	hideRows(err)
	return fmt.Errorf("%s: %w", doing, err)
}

// hideRows takes away what the server quotes in a refusal: rows and parameters,
// and so secrets. The message itself does so where a value does not fit its
// column, or a function raised it.
func hideRows(err error) {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	if ok && (strings.HasPrefix(refusal.Code, "22") || strings.HasPrefix(refusal.Code, "P0")) {
		refusal.Message = "the server refuses a value"
	}
	if ok && refusal.Detail+refusal.Hint+refusal.Where+refusal.InternalQuery != "" {
		refusal.Detail, refusal.Hint, refusal.Where, refusal.InternalQuery = "", "", "", ""
	}
}
