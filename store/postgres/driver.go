package postgres

import (
	"context"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// driver implements the store behind [backend.Contract].
type driver struct {
	*Store
	backend.Life
	*backend.SQL
}

func newSQL(s *Store) *backend.SQL {
	return backend.NewSQL(db{s}, backend.Dialect{
		List:     func(list []string) any { return list },
		ScanList: func(list *[]string) any { return list },
	})
}

// CreateToken implements [store.Tokens]. Concurrent calls share a transaction.
//
// If an active holder is required, it takes two round trips. The statement that
// creates the token may not see that the subject is being blocked, so the
// status is read again. A lock on the subject's row would allow a client that
// creates tokens continuously to prevent the subject from being blocked.
func (d driver) CreateToken(ctx context.Context, t store.Token, require store.Status) (store.Status, error) {
	holder, err := d.create(ctx, &t, require == 0)
	switch {
	case err != nil || require == 0:
		return 0, err
	case holder != store.HolderActive:
		return holder, nil
	}
	holder, err = scanHolder(d.Row(ctx, getStatus, t.Subject.String()))
	if err == nil && holder == store.HolderActive {
		return holder, nil
	}
	if err := store.TakeBackToken(ctx, d, t.ID); err != nil {
		return 0, err
	}
	return holder, err
}

// Import implements [store.Archive] with one round trip for all records of a
// kind. A name may be taken by a record of this batch that a concurrent import
// has just created. The retry sees that record and can move its name.
func (d driver) Import(ctx context.Context, records []store.Record) error {
	isTaken := func(err error) bool { return errors.Is(err, errors.IDBadValueIdentifierOccupied) }
	return retry(ctx, isTaken, func() error { return d.SQL.Import(ctx, records) })
}
