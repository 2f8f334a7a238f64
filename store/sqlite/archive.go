package sqlite

import (
	"context"
	"maps"
	"slices"

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
		return export(ctx, s, doing, exportIdentities, after, isSubject, size, scanIdentity,
			func(i *store.Identity) (store.Record, string) { return store.Record{Identity: i}, i.Subject.String() })
	case store.TemporaryRecords:
		return export(ctx, s, doing, exportTemporary, after, isSubject, size, scanTemporary,
			func(t *store.Temporary) (store.Record, string) { return store.Record{Temporary: t}, t.Subject.String() })
	case store.TokenRecords:
		return export(ctx, s, doing, exportTokens, after, isKey, size, scanToken,
			func(t *store.Token) (store.Record, string) { return store.Record{Token: t}, t.ID })
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

// Import implements [store.Archive], in one transaction. Of records with the
// same key the last one counts, and names have to be unique when all are in
// their places, so that records may swap names.
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
	return s.outcome(ctx, doing, s.inTransaction(ctx, func(t transaction) error {
		if err := importAll(t, b.identities, unnameIdentities, importIdentity, encodeIdentity); err != nil {
			return occupied(err, "username")
		}
		if err := importAll(t, b.temporary, none, importTemporary, encodeTemporary); err != nil {
			return err
		}
		return occupied(importAll(t, b.tokens, unnameTokens, importToken, encodeNewToken), "name")
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
