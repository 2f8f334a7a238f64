package memory

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
)

func (s driver) ListTokens(ctx context.Context, q store.Query) (page []store.Token, next store.Cursor, err error) {
	records, next := pageOf(s.Store, q, (*entry).record)
	page = slices.Grow(page, len(records))
	for _, t := range records {
		page = append(page, t.Clone())
	}
	return page, next, nil
}

// ListTokenIDs implements [store.Lists]. It copies no records.
func (s driver) ListTokenIDs(ctx context.Context, q store.Query) (page []string, next store.Cursor, err error) {
	page, next = pageOf(s.Store, q, func(e *entry) string { return e.id })
	return page, next, nil
}

// CountTokens implements [store.Lists] in constant time.
func (s driver) CountTokens(ctx context.Context, subject caveat.Subject) (int64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.counts[subject], nil
}

// pageOf returns the result of of for each entry of one page, and the cursor of
// the next page. The cursor is zero after the last page. The mutex is held
// while of runs.
func pageOf[T any](s *Store, q store.Query, of func(*entry) T) (page []T, next store.Cursor) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	entries, more := firstOf(s.matches(q), q.Limit)
	page = slices.Grow(page, len(entries))
	for _, e := range entries {
		page = append(page, of(e))
	}
	if more {
		last := entries[len(entries)-1]
		next = store.Cursor{Created: last.created, ID: last.id}
	}
	return page, next
}

// matches yields the tokens that the query selects, in order.
func (s *Store) matches(q store.Query) iter.Seq[*entry] {
	switch {
	case q.Parent != "":
		return run(s.byParent, q.After, func(e *entry) int { return cmp.Compare(e.parent, q.Parent) })
	case q.Subject.IsZero():
		return s.byAge.from(func(e *entry) bool { return !e.isAfter(q.After) })
	case q.Name != "":
		return func(yield func(*entry) bool) {
			if e := s.names[nameKey{q.Subject, q.Name}]; e != nil && e.isAfter(q.After) {
				yield(e)
			}
		}
	}
	return run(s.bySubject, q.After, func(e *entry) int { return compareSubjects(e.subject, q.Subject) })
}

// run yields the entries of the index for which order is 0 and that are after
// the cursor. The index is sorted by order, then age.
func run(x *index[*entry], after store.Cursor, order func(*entry) int) iter.Seq[*entry] {
	return func(yield func(*entry) bool) {
		for e := range x.from(func(e *entry) bool {
			o := order(e)
			return o < 0 || o == 0 && !e.isAfter(after)
		}) {
			if order(e) != 0 || !yield(e) {
				return
			}
		}
	}
}
