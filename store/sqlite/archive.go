package sqlite

import (
	"context"
	"maps"
	"slices"

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
		return export(ctx, s, doing, exportIdentities, after, columns.IsSubject, size, scanIdentity, columns.IdentityRecord)
	case store.TemporaryRecords:
		return export(ctx, s, doing, exportTemporary, after, columns.IsSubject, size, scanTemporary, columns.TemporaryRecord)
	case store.TokenRecords:
		return export(ctx, s, doing, exportTokens, after, columns.IsKey, size, scanToken, columns.TokenRecord)
	}
	return nil, "", errors.BadDataHint("kind", "there are no records of that kind")
}

// export reads one page. record tells what to return for a row, and its
// position, which is its key.
func export[R any](
	ctx context.Context, s *Store, doing string, q query, after string, isPosition func(string) bool, size int,
	scan func(row) (R, error), record func(*R) (store.Record, string),
) (records []store.Record, next string, err error) {
	if after != "" && !isPosition(after) {
		return nil, "", errors.BadDataHint("after", "a position is one that an earlier export returned")
	}
	page, more, err := readPage(ctx, s, scan, size, q, after, size+1)
	if err != nil {
		return nil, "", s.environment(ctx, doing, err)
	}
	records, next = columns.Records(page, more, record)
	return records, next, nil
}

// Import implements [store.Archive], in one transaction. Of records with the
// same key the last one counts, and names have to be unique when all are in
// their places, so that records may swap names.
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
	return s.outcome(ctx, doing, s.inTransaction(ctx, func(t transaction) error {
		if err := importAll(t, b.Identities, unnameIdentities, importIdentity, encodeIdentity); err != nil {
			return occupied(err, "username")
		}
		if err := importAll(t, b.Temporary, none, importTemporary, encodeTemporary); err != nil {
			return err
		}
		return occupied(importAll(t, b.Tokens, unnameTokens, importToken, encodeNewToken), "name")
	}))
}

// importAll writes the records in the order of their keys, after it has taken
// away the names of those that it replaces.
func importAll[R any](t transaction, records map[string]*R, unname, write query, encode func(*R) []any) error {
	if len(records) == 0 {
		return nil
	}
	keys := slices.Sorted(maps.Keys(records))
	if unname != none {
		if err := t.exec(unname, encodeList(keys)); err != nil {
			return err
		}
	}
	for _, key := range keys {
		if err := t.exec(write, encode(records[key])...); err != nil {
			return err
		}
	}
	return nil
}
