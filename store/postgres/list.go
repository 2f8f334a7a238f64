package postgres

import (
	"context"
	"math"

	"github.com/jackc/pgx/v5"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/columns"
)

// ListTokens implements [store.Lists]. badData: there is a name without a
// subject, or a cursor that no listing returned.
func (s *Store) ListTokens(ctx context.Context, q store.Query) (page []store.Token, next store.Cursor, err error) {
	return list(ctx, s, q, s.queries.records, scanToken,
		func(t store.Token) store.Cursor { return store.Cursor{Created: t.Created, ID: t.ID} })
}

// ListTokenIDs implements [store.Lists]. It reads the index alone, except for a
// name and for rows that VACUUM has not visited. badData: as in ListTokens.
func (s *Store) ListTokenIDs(ctx context.Context, q store.Query) (page []string, next store.Cursor, err error) {
	places, next, err := list(ctx, s, q, s.queries.places, scanCursor,
		func(c store.Cursor) store.Cursor { return c })
	for _, c := range places {
		page = append(page, c.ID)
	}
	return page, next, err
}

// CountTokens implements [store.Lists]. It reads the subject's part of an index.
func (s *Store) CountTokens(ctx context.Context, subject caveat.Subject) (count int64, err error) {
	const doing = "count named tokens"
	if err := s.ready(ctx, doing); err != nil {
		return 0, err
	}
	if !columns.IsHolder(subject) {
		return 0, nil
	}
	count, err = queryOne(ctx, s, scanCount, s.queries.countTokens, subject.String())
	return count, outcome(doing, err)
}

// listings are the statements for the kinds of queries.
type listings struct{ all, subject, name string }

// list returns one page of what the statements select. cursorOf is the place of a
// row in the listing.
func list[R any](
	ctx context.Context, s *Store, q store.Query, l listings, scan func(pgx.Row) (R, error), cursorOf func(R) store.Cursor,
) (page []R, next store.Cursor, err error) {
	const doing = "list named tokens"
	if err := s.ready(ctx, doing); err != nil {
		return nil, store.Cursor{}, err
	}
	if err := q.Validate(); err != nil {
		return nil, store.Cursor{}, err
	}
	switch {
	case q.After.ID != "" && !columns.IsKey(q.After.ID):
		return nil, store.Cursor{}, errors.BadDataHint("after", "the id of a cursor is one that a token can have")
	case !q.Subject.IsZero() && !columns.IsHolder(q.Subject), q.Name != "" && !columns.IsKey(q.Name):
		return nil, store.Cursor{}, nil
	}
	size := q.PageSize()
	query, args := l.of(q, size+1)
	page, more, err := queryPage(ctx, s, scan, size, query, args...)
	if err != nil {
		return nil, store.Cursor{}, environment(doing, err)
	}
	if more {
		next = cursorOf(page[size-1])
	}
	return page, next, nil
}

// of returns the statement for at most limit rows, and its arguments.
func (l listings) of(q store.Query, limit int) (query string, args []any) {
	after := q.After
	if after.IsZero() {
		after.Created = math.MinInt64 // before all, since no id is empty
	}
	args = []any{after.Created, after.ID, limit}
	switch {
	case q.Subject.IsZero():
		return l.all, args
	case q.Name == "":
		return l.subject, append(args, q.Subject.String())
	}
	return l.name, append(args, q.Subject.String(), q.Name)
}
