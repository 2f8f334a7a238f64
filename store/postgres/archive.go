package postgres

import (
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/columns"
)

// Export implements [store.Archive], in the order of keys. The limit is that of
// a page of a listing: 0 stands for [store.DefaultPage], and [store.MaxPage] is
// the most.
func (s *Store) Export(ctx context.Context, kind store.RecordKind, after string, limit int) ([]store.Record, string, error) {
	const doing = "export records"
	if err := s.ready(ctx, doing); err != nil {
		return nil, "", err
	}
	size := store.Query{Limit: limit}.PageSize()
	switch kind {
	case store.IdentityRecords:
		return export(ctx, s, doing, s.queries.exportIdentities, after, columns.IsSubject, size, scanIdentity, columns.IdentityRecord)
	case store.TemporaryRecords:
		return export(ctx, s, doing, s.queries.exportTemporary, after, columns.IsSubject, size, scanTemporary, columns.TemporaryRecord)
	case store.TokenRecords:
		return export(ctx, s, doing, s.queries.exportTokens, after, columns.IsKey, size, scanToken, columns.TokenRecord)
	}
	return nil, "", errors.BadDataHint("kind", "there are no records of that kind")
}

// export reads one page. record tells what to return for a row, and its
// position, which is its key.
func export[R any](
	ctx context.Context, s *Store, doing, query, after string, isPosition func(string) bool, size int,
	scan func(pgx.Row) (R, error), record func(*R) (store.Record, string),
) (records []store.Record, next string, err error) {
	if after != "" && !isPosition(after) {
		return nil, "", errors.BadDataHint("after", "a position is one that an earlier export returned")
	}
	page, more, err := queryPage(ctx, s, scan, size, query, after, size+1)
	if err != nil {
		return nil, "", environment(doing, err)
	}
	records, next = columns.Records(page, more, record)
	return records, next, nil
}

// Scrub does nothing: the files are the server's.
func (s *Store) Scrub(ctx context.Context) error { return s.ready(ctx, "scrub the store") }

// Import implements [store.Archive], in one transaction, with one round trip for
// all records of a kind. Of records with the same key the last one counts,
// and names have to be unique when all are in their places, so that records may
// swap names.
func (s *Store) Import(ctx context.Context, records []store.Record) error {
	const doing = "import records"
	if err := s.ready(ctx, doing); err != nil {
		return err
	}
	b, err := columns.NewBatch(records)
	if err != nil {
		return err
	}
	if len(records) == 0 {
		return nil
	}
	// A name may be taken by a record of this batch that another import has just
	// created, with the name that it has to give away. The next time it is there
	// to be seen.
	unique := ""
	return outcome(doing, occupied(retry(ctx, []string{uniqueViolation}, func() error {
		return s.inTransaction(ctx, func(tx pgx.Tx) error {
			unique = "username"
			if err := importAll(ctx, tx, s.queries.unnameIdentities, s.queries.importIdentity, b.Identities, encodeIdentity); err != nil {
				return err
			}
			if err := importAll(ctx, tx, "", s.queries.importTemporary, b.Temporary, encodeTemporary); err != nil {
				return err
			}
			unique = "name"
			return importAll(ctx, tx, s.queries.unnameTokens, s.queries.importToken, b.Tokens, encodeToken)
		})
	}), unique))
}

// importAll writes the records in one round trip, in the order of keys, after it
// has taken away the names of those with the same keys.
func importAll[R any](ctx context.Context, tx pgx.Tx, unname, write string, records map[string]*R, encode func(*R) []any) error {
	if len(records) == 0 {
		return nil
	}
	keys := slices.Sorted(maps.Keys(records))
	statements := new(pgx.Batch)
	if unname != "" {
		statements.Queue(unname, keys)
	}
	for _, key := range keys {
		statements.Queue(write, encode(records[key])...)
	}
	return tx.SendBatch(ctx, statements).Close()
}
