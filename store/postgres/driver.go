package postgres

import (
	"context"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// driver is the store under its contract.
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

// CreateToken implements [store.Tokens]. Calls that come at the same time share a
// transaction.
//
// Where an active holder is required it takes two round trips: the statement that
// creates the token may not see that the subject is being blocked, so the subject
// is looked at again. A lock on its row would let who creates tokens all the time
// keep the subject from being blocked.
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

// Import implements [store.Archive], with one round trip for all records of a
// kind. A name may be taken by a record of this batch that another import has just
// created, with the name that it has to give away. The next time it is there to be
// seen.
func (d driver) Import(ctx context.Context, records []store.Record) error {
	isTaken := func(err error) bool { return errors.Is(err, errors.IDBadValueIdentifierOccupied) }
	return retry(ctx, isTaken, func() error { return d.SQL.Import(ctx, records) })
}
