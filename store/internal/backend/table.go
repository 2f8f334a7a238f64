package backend

import (
	"context"
	"maps"
	"slices"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// table describes how the records of one kind are stored in a table.
type table[R any] struct {
	get, lock, update, export, clearNames, write Query

	unique  string // key of the unique name in errors of the catalogue
	scan    func(Row) (R, error)
	args    func(*R) []any // the values of all columns
	changes func(*R) []any // the key, and the values of columns that an update writes
	record  func(*R) (store.Record, string)
}

// Page runs a query for up to size+1 rows and scans them. It returns up to size
// rows, and whether there was one more.
func Page[R any](ctx context.Context, db Reader, scan func(Row) (R, error), size int, q Query, args ...any) (page []R, more bool, err error) {
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
func (t *table[R]) page(ctx context.Context, db Reader, after string, limit int) (records []store.Record, next string, err error) {
	page, more, err := Page(ctx, db, t.scan, limit, t.export, after, limit+1)
	last := ""
	for i := range page {
		var r store.Record
		r, last = t.record(&page[i])
		records = append(records, r)
	}
	if more {
		next = last
	}
	return records, next, err
}

// change reads the record with the key, applies to, and writes the result, in
// one transaction.
func (t *table[R]) change(ctx context.Context, db DB, key string, to func(R) (R, error)) error {
	return db.Transaction(ctx, func(tx Tx) error {
		old, err := t.scan(tx.Row(t.lock, key))
		if err != nil {
			return err
		}
		changed, err := to(old)
		if err != nil {
			return err
		}
		return t.nameError(db, tx.Exec(t.update, t.changes(&changed)...))
	})
}

// importAll writes the records in the order of their keys. It first clears the
// names of the records that it replaces, so that records may swap names.
func importAll[K comparable, R any](db DB, tx Tx, t *table[R], records map[K]*R) error {
	if len(records) == 0 {
		return nil
	}
	byKey := make(map[string]*R, len(records))
	for _, r := range records {
		_, key := t.record(r)
		byKey[key] = r
	}
	keys := slices.Sorted(maps.Keys(byKey))
	rows := make([][]any, len(keys))
	for i, key := range keys {
		rows[i] = t.args(byKey[key])
	}
	return t.nameError(db, tx.Import(t.clearNames, keys, t.write, rows))
}

// nameError converts the violation of a unique name to the error of the
// catalogue.
func (t *table[R]) nameError(db DB, err error) error {
	if taken, _ := db.UniqueViolation(err); taken {
		return errors.BadValueIdentifierOccupied(t.unique)
	}
	return err
}

// createError converts the violation of a unique key or name to the error of
// the catalogue. If both are taken, databases differ in which one they report,
// so a look-up decides whether the key exists.
func (t *table[R]) createError(ctx context.Context, db DB, err error, key string) error {
	switch taken, isKey := db.UniqueViolation(err); {
	case !taken:
		return err
	case isKey:
		return errors.AlreadyExists()
	}
	switch _, found := t.scan(db.Row(ctx, t.get, key)); {
	case found == nil:
		return errors.AlreadyExists()
	case errors.Is(found, errors.IDNotFound):
		return errors.BadValueIdentifierOccupied(t.unique)
	default:
		return found
	}
}
