package macaroon

import (
	"context"
	"fmt"

	"github.com/onezone-go/onezone/store"
)

// Sizes of a page of [Authority.List]. Records are read a few at a time,
// because their size is known only after they are read.
const (
	maxPageBytes = 64 << 10 // total size of the records after which a page ends
	firstRecords = 4        // records in the first read
	maxRecords   = 8        // records in any read
)

// List returns a page of named tokens in order of creation, and the cursor of
// the next page. The cursor is zero after the last page. A page may have fewer
// tokens than the limit of the query, because it ends when its records exceed
// 64 KiB.
//
// If a sealed store cannot open the secret of a record, List leaves out that
// token and returns the others. [Authority.ListIDs] includes its id, and
// [Authority.Get] returns the reason.
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
	if err := a.addLastUses(ctx, page); err != nil {
		return nil, store.Cursor{}, err
	}
	return page, q.After, nil
}

// ListIDs returns a page of ids of named tokens in order of creation, and the
// cursor of the next page. The cursor is zero after the last page. It does not
// read whole records.
func (a *Authority) ListIDs(ctx context.Context, q store.Query) (page []string, next store.Cursor, err error) {
	page, next, err = a.store.ListTokenIDs(ctx, q)
	if err != nil {
		return nil, store.Cursor{}, fmt.Errorf("listing ids of named tokens: %w", err)
	}
	return page, next, nil
}
