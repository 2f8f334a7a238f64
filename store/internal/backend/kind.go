package backend

import (
	"context"
	"maps"
	"slices"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// kind is how the records of a kind are kept in a table.
type kind[R any] struct {
	get, lock, update, export, unname, write Query

	unique  string // what the catalogue calls the name that only one record can have
	scan    func(Row) (R, error)
	args    func(*R) []any // the values of all columns
	changes func(*R) []any // the key, and the values of columns that an update writes
	record  func(*R) (store.Record, string)
}

// Page runs a query for rows and scans them. The query's limit is one row more
// than size; that there is such a row makes more true.
func Page[R any](ctx context.Context, db DB, scan func(Row) (R, error), size int, q Query, args ...any) (page []R, more bool, err error) {
	err = db.Read(ctx, func(rows Rows) error {
		page = page[:0]
		for rows.Next() {
			r, err := scan(rows)
			if err != nil {
				return err
			}
			page = append(page, r)
		}
		return rows.Err()
	}, q, args...)
	if err != nil || len(page) == 0 {
		return nil, false, err
	}
	return page[:min(size, len(page))], len(page) > size, nil
}

// page returns a page of an export.
func (k *kind[R]) page(ctx context.Context, db DB, after string, limit int) (records []store.Record, next string, err error) {
	page, more, err := Page(ctx, db, k.scan, limit, k.export, after, limit+1)
	last := ""
	for i := range page {
		var r store.Record
		r, last = k.record(&page[i])
		records = append(records, r)
	}
	if more {
		next = last
	}
	return records, next, err
}

// change reads the record with the key, has to make another of it, and writes
// that, all in one transaction.
func (k *kind[R]) change(ctx context.Context, db DB, key string, to func(R) (R, error)) error {
	return db.Transaction(ctx, func(tx Tx) error {
		old, err := k.scan(tx.Row(k.lock, key))
		if err != nil {
			return err
		}
		changed, err := to(old)
		if err != nil {
			return err
		}
		return k.occupied(db, tx.Exec(k.update, k.changes(&changed)...))
	})
}

// importAll writes the records in the order of their keys, after it has taken
// away the names of those that it replaces, so that records may swap names.
func importAll[K comparable, R any](db DB, tx Tx, k *kind[R], records map[K]*R) error {
	if len(records) == 0 {
		return nil
	}
	byKey := make(map[string]*R, len(records))
	for _, r := range records {
		_, key := k.record(r)
		byKey[key] = r
	}
	keys := slices.Sorted(maps.Keys(byKey))
	rows := make([][]any, len(keys))
	for i, key := range keys {
		rows[i] = k.args(byKey[key])
	}
	return k.occupied(db, tx.Import(k.unname, keys, k.write, rows))
}

// occupied turns the refusal of a second record of one name into the error of
// the catalogue.
func (k *kind[R]) occupied(db DB, err error) error {
	if taken, _ := db.Taken(err); taken {
		return errors.BadValueIdentifierOccupied(k.unique)
	}
	return err
}

// taken turns the refusal of a new record into the error of the catalogue: the
// key is taken, or if it is not, the name. Where both are, databases differ in
// which they find first, so a look-up tells whether the key is there.
func (k *kind[R]) taken(ctx context.Context, db DB, err error, key string) error {
	switch taken, isKey := db.Taken(err); {
	case !taken:
		return err
	case isKey:
		return errors.AlreadyExists()
	}
	switch _, found := k.scan(db.Row(ctx, k.get, key)); {
	case found == nil:
		return errors.AlreadyExists()
	case errors.Is(found, errors.IDNotFound):
		return errors.BadValueIdentifierOccupied(k.unique)
	default:
		return found
	}
}
