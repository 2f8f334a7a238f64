package postgres

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// SQLSTATE codes that this package handles.
const (
	uniqueViolation      = "23505"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
)

// db runs statements.
type db struct{ *Store }

func (d db) Row(ctx context.Context, q backend.Query, args ...any) backend.Row {
	return d.row(ctx, d.queries[q], args...)
}

func (s *Store) row(ctx context.Context, query string, args ...any) backend.Row {
	return backend.RowFunc(func(dest ...any) error {
		return s.run(ctx, func(q querier) error { return scanOne(q.QueryRow(ctx, query, args...), dest) })
	})
}

func scanOne(r pgx.Row, dest []any) error {
	err := r.Scan(dest...)
	if errors.Is(err, pgx.ErrNoRows) {
		return errors.NotFound()
	}
	return err
}

func (d db) Read(ctx context.Context, read func(backend.Rows) error, q backend.Query, args ...any) error {
	return d.run(ctx, func(on querier) error {
		rows, err := on.Query(ctx, d.queries[q], args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		return read(rows)
	})
}

func (d db) Exec(ctx context.Context, q backend.Query, args ...any) (affected int64, err error) {
	err = d.run(ctx, func(on querier) error {
		tag, err := on.Exec(ctx, d.queries[q], args...)
		affected = tag.RowsAffected()
		return err
	})
	return affected, err
}

func (d db) Transaction(ctx context.Context, do func(backend.Tx) error) error {
	return d.inTransaction(ctx, func(tx pgx.Tx) error { return do(transaction{ctx, tx, d.queries}) })
}

// transaction runs statements in a transaction.
type transaction struct {
	ctx     context.Context
	tx      pgx.Tx
	queries map[backend.Query]string
}

func (t transaction) Row(q backend.Query, args ...any) backend.Row {
	row := t.tx.QueryRow(t.ctx, t.queries[q], args...)
	return backend.RowFunc(func(dest ...any) error { return scanOne(row, dest) })
}

func (t transaction) Exec(q backend.Query, args ...any) error {
	_, err := t.tx.Exec(t.ctx, t.queries[q], args...)
	return err
}

// Import implements [backend.Tx] in one round trip.
func (t transaction) Import(clearNames backend.Query, keys []string, write backend.Query, rows [][]any) error {
	statements := new(pgx.Batch)
	if clearNames != backend.None {
		statements.Queue(t.queries[clearNames], keys)
	}
	for _, args := range rows {
		statements.Queue(t.queries[write], args...)
	}
	return t.tx.SendBatch(t.ctx, statements).Close()
}

// querier is a connection or a transaction.
type querier interface {
	Exec(ctx context.Context, query string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) pgx.Row
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// run executes one statement in one round trip, and again in a transaction if
// it cannot be serialized. In serializable sessions, a statement that waits for
// a row fails whenever the row has changed, and might do so forever.
func (s *Store) run(ctx context.Context, do func(querier) error) error {
	err := s.withConn(ctx, func(conn *pgxpool.Conn) error { return do(conn) })
	if !isTransient(err) {
		return err
	}
	return s.inTransaction(ctx, func(tx pgx.Tx) error { return do(tx) })
}

// inTransaction runs do in a read committed transaction: each statement sees
// the latest commits, and a locked row is the current one.
func (s *Store) inTransaction(ctx context.Context, do func(pgx.Tx) error) error {
	return retry(ctx, isTransient, func() error {
		return s.withConn(ctx, func(conn *pgxpool.Conn) error {
			return pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, do)
		})
	})
}

// maxAttempts limits the attempts of a transaction. A caller waits at most
// about a second for an engine that rejects it repeatedly.
const maxAttempts = 12

// transientCodes are the codes of transactions that were rolled back and may
// succeed when retried.
var transientCodes = []string{serializationFailure, deadlockDetected}

func isTransient(err error) bool { return slices.Contains(transientCodes, sqlState(err)) }

// retry calls do until it succeeds, fails with another error, or has failed
// maxAttempts times.
func retry(ctx context.Context, isRetryable func(error) bool, do func() error) error {
	b := backend.Backoff{First: 2 * time.Millisecond, Longest: 100 * time.Millisecond}
	for attempt := 1; ; attempt++ {
		err := do()
		if attempt == maxAttempts || !isRetryable(err) {
			return err
		}
		if err := b.Pause(ctx); err != nil {
			return err
		}
	}
}

// sqlState returns the code of an error of the server, and "" for any other
// error.
func sqlState(err error) string {
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok {
		return refusal.Code
	}
	return ""
}

// UniqueViolation implements [backend.DB]. Engines differ in which one they
// report if both the key and the name are taken.
func (db) UniqueViolation(err error) (taken, key bool) {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || refusal.Code != uniqueViolation {
		return false, false
	}
	return true, strings.HasSuffix(refusal.ConstraintName, "_pkey")
}

// hideRows removes quoted rows and parameters from an error of the server,
// because they contain secrets. The message itself quotes a value that does not
// fit its column or that a function raised.
func hideRows(err error) {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	if ok && (strings.HasPrefix(refusal.Code, "22") || strings.HasPrefix(refusal.Code, "P0")) {
		refusal.Message = "the server rejected a value"
	}
	if ok && refusal.Detail+refusal.Hint+refusal.Where+refusal.InternalQuery != "" {
		refusal.Detail, refusal.Hint, refusal.Where, refusal.InternalQuery = "", "", "", ""
	}
}
