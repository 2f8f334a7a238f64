package postgres

import (
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
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
		return export(ctx, s, doing, s.queries.exportIdentities, after, isSubject, size, scanIdentity,
			func(i *store.Identity) (store.Record, string) { return store.Record{Identity: i}, i.Subject.String() })
	case store.TemporaryRecords:
		return export(ctx, s, doing, s.queries.exportTemporary, after, isSubject, size, scanTemporary,
			func(t *store.Temporary) (store.Record, string) { return store.Record{Temporary: t}, t.Subject.String() })
	case store.TokenRecords:
		return export(ctx, s, doing, s.queries.exportTokens, after, isKey, size, scanToken,
			func(t *store.Token) (store.Record, string) { return store.Record{Token: t}, t.ID })
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
	position := ""
	for i := range page {
		var r store.Record
		r, position = record(&page[i])
		records = append(records, r)
	}
	if more {
		next = position
	}
	return records, next, nil
}

func isSubject(text string) bool {
	subject, err := caveat.ParseSubject(text)
	return err == nil && isHolder(subject)
}

// Import implements [store.Archive], in one transaction, with one round trip for
// all records of a kind. Of records with the same key the last one counts,
// and names have to be unique when all are in their places, so that records may
// swap names.
func (s *Store) Import(ctx context.Context, records []store.Record) error {
	const doing = "import records"
	if err := s.ready(ctx, doing); err != nil {
		return err
	}
	b, err := newBatch(records)
	if err != nil {
		return err
	}
	if len(records) == 0 {
		return nil
	}
	return outcome(doing, s.inTransaction(ctx, func(tx pgx.Tx) error {
		if err := importAll(ctx, tx, s.queries.unnameIdentities, s.queries.importIdentity, b.identities, encodeIdentity); err != nil {
			return occupied(err, "username")
		}
		if err := importAll(ctx, tx, "", s.queries.importTemporary, b.temporary, encodeTemporary); err != nil {
			return err
		}
		err := importAll(ctx, tx, s.queries.unnameTokens, s.queries.importToken, b.tokens, encodeToken)
		return occupied(err, "name")
	}))
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

// batch is what an import writes: valid records by their keys.
type batch struct {
	identities map[string]*store.Identity
	temporary  map[string]*store.Temporary
	tokens     map[string]*store.Token
}

func newBatch(records []store.Record) (batch, error) {
	b := batch{
		make(map[string]*store.Identity), make(map[string]*store.Temporary), make(map[string]*store.Token),
	}
	for _, r := range records {
		if err := r.Validate(); err != nil {
			return batch{}, err
		}
		switch {
		case r.Identity != nil:
			b.identities[r.Identity.Subject.String()] = r.Identity
		case r.Temporary != nil:
			b.temporary[r.Temporary.Subject.String()] = r.Temporary
		default:
			b.tokens[r.Token.ID] = r.Token
		}
	}
	return b, nil
}
