package macaroon

import (
	"context"
	"fmt"
	"time"

	"github.com/onezone-go/onezone/store"
)

// ListUnusedIDs is [Authority.ListIDs] for the tokens that were created before
// the time and not used since. A page can be empty even if there is a next one.
// Tokens without a recorded use are among them, so make sure that uses were
// recorded all that time; see [WithLastUse].
func (a *Authority) ListUnusedIDs(ctx context.Context, q store.Query, since time.Time) (page []string, next store.Cursor, err error) {
	ids, next, err := a.ListIDs(ctx, q)
	if err != nil {
		return nil, store.Cursor{}, err
	}
	uses, err := a.LastUses(ctx, ids...)
	if err != nil {
		return nil, store.Cursor{}, err
	}
	for i, id := range ids {
		if !uses[i].UsedSince(since) {
			page = append(page, id)
		}
	}
	// Tokens are listed by creation time, so only the page that ends after the
	// time contains both older and newer tokens, and all later ones are newer.
	if !next.IsZero() && next.Created < since.Unix() {
		return page, next, nil
	}
	page, err = a.createdBefore(ctx, q, page, since)
	return page, store.Cursor{}, err
}

// UnusedSince reports whether the token was created before the time and has a
// LastUse, which may be zero, that was not at the time or later.
func (n Named) UnusedSince(t time.Time) bool {
	return n.LastUse != nil && n.Created.Before(t) && !n.LastUse.UsedSince(t)
}

// addLastUses sets the last uses of the tokens, if the authority records uses.
func (a *Authority) addLastUses(ctx context.Context, page []Named) error {
	if a.uses == nil || len(page) == 0 {
		return nil
	}
	ids := make([]string, len(page))
	for i, n := range page {
		ids[i] = n.ID()
	}
	uses, err := a.LastUses(ctx, ids...)
	for i := range uses {
		page[i].LastUse = &uses[i]
	}
	return err
}

// createdBefore returns those of the ids, which are on the page of the query,
// whose tokens were created before the time.
func (a *Authority) createdBefore(ctx context.Context, q store.Query, ids []string, since time.Time) (page []string, err error) {
	for left := q.PageSize(); len(page) < len(ids); {
		q.Limit = min(left, maxRecords)
		records, next, err := a.store.ListTokens(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("listing named tokens: %w", err)
		}
		for _, t := range records {
			if t.Created >= since.Unix() {
				return page, nil
			}
			if len(page) < len(ids) && t.ID == ids[len(page)] {
				page = append(page, t.ID)
			}
		}
		if left -= len(records); left <= 0 || next.IsZero() {
			break
		}
		q.After = next
	}
	return page, nil
}
