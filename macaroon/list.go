package macaroon

import (
	"context"
	"fmt"

	"github.com/onezone-go/onezone/store"
)

// Sizes of a page of [Authority.List]. Records are read a few at a time, because
// how large they are shows only then.
const (
	maxPageBytes = 64 << 10 // of records, after which no more are read
	firstRecords = 4        // that are read at first
	maxRecords   = 8        // that are read at once
)

// List returns a page of named tokens in the order of their creation, and the
// cursor of the next page, zero after the last. A page ends before the limit of the
// query where its records have about 64 KiB together.
//
// A sealed store lists a record without its secret where that does not open. The
// token is left out then, so that one record does not hide the others:
// [Authority.ListIDs] has its id, and [Authority.Get] tells what is wrong.
func (a *Authority) List(ctx context.Context, q store.Query) (page []Named, next store.Cursor, err error) {
	left, size := q.PageSize(), 0
	for step := firstRecords; left > 0 && size < maxPageBytes; step = min(2*step, maxRecords) {
		q.Limit = min(step, left)
		records, after, err := a.store.ListTokens(ctx, q)
		if err != nil {
			return nil, store.Cursor{}, fmt.Errorf("listing named tokens: %w", err)
		}
		for _, record := range records {
			size += recordSize(record)
			if record.Secret.IsZero() {
				continue
			}
			n, err := a.rebuild(record)
			if err != nil {
				return nil, store.Cursor{}, err
			}
			page = append(page, n)
		}
		left -= len(records)
		if q.After = after; after.IsZero() {
			break
		}
	}
	return page, q.After, nil
}

// ListIDs returns the ids of a page of named tokens in the order of
// [Authority.List], and the cursor of the next page, zero after the last. It reads
// no records.
func (a *Authority) ListIDs(ctx context.Context, q store.Query) (page []string, next store.Cursor, err error) {
	page, next, err = a.store.ListTokenIDs(ctx, q)
	if err != nil {
		return nil, store.Cursor{}, fmt.Errorf("listing ids of named tokens: %w", err)
	}
	return page, next, nil
}
