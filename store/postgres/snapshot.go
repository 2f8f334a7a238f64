package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// Snapshot calls read with all records as they are at the first export, however
// long it takes, in a read-only transaction that repeats reads. Writers are not
// blocked. The exporter must not be used afterwards.
func (s *Store) Snapshot(ctx context.Context, read func(context.Context, store.Exporter) error) error {
	return backend.Do(ctx, s.life, "read a snapshot", func() error {
		return s.withConn(ctx, func(conn *pgxpool.Conn) error {
			o := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
			return pgx.BeginTxFunc(ctx, conn, o, func(tx pgx.Tx) error {
				return read(ctx, s.sql.Exporter(snapshot{s, tx}))
			})
		})
	})
}

// snapshot reads in a transaction.
type snapshot struct {
	store *Store
	tx    pgx.Tx
}

func (s snapshot) Read(ctx context.Context, read func(backend.Rows) error, q backend.Query, args ...any) error {
	rows, err := s.tx.Query(ctx, s.store.queries[q], args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	return read(rows)
}
