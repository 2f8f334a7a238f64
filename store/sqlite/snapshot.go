package sqlite

import (
	"context"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// Snapshot calls read with all records as they are at the first export, however
// long it takes. Stores and processes that share the file write concurrently;
// the write-ahead log grows until read returns. The exporter must not be used
// afterwards.
func (s *Store) Snapshot(ctx context.Context, read func(context.Context, store.Exporter) error) error {
	return backend.Do(ctx, s.life, "read a snapshot", func() error {
		p, err := s.statements(ctx)
		if err != nil {
			return err
		}
		tx, err := s.reader.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		return read(ctx, newDriver(s).Exporter(snapshot{s, transaction{ctx, tx, p.reader}}))
	})
}

// snapshot reads in a transaction.
type snapshot struct {
	store *Store
	in    transaction
}

// Read implements [backend.Reader].
func (s snapshot) Read(ctx context.Context, read func(backend.Rows) error, q backend.Query, args ...any) error {
	return s.store.retryBusy(ctx, func() error {
		rows, err := s.in.statement(q).QueryContext(ctx, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		return read(rows)
	})
}
