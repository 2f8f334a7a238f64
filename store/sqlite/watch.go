package sqlite

import (
	"context"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/backend"
)

const (
	// pollInterval is how often a watcher polls for changes of other processes.
	pollInterval = 50 * time.Millisecond
	// maxChanges is the maximum number of changes read at once.
	maxChanges = 1000
)

// Watch implements [store.Watcher]. It reports changes of this store as soon as
// they are committed, and those of other stores and processes within about 100
// milliseconds: it polls every 50. It holds no connection while observe runs or
// nothing happens.
//
// An observer that is 15,000 or more changes late receives [store.FeedDown] and
// [store.FeedUp] instead of the changes, because they are no longer stored. The
// same happens if the file was replaced by an older one. FeedUp is reported at
// most once a second. Watch returns an error at once if there are no tables,
// and [store.ErrClosed], wrapped, when the store is closed.
func (s *Store) Watch(ctx context.Context, observe func(store.Change)) error {
	return backend.Feed{Readier: s.life, Closed: s.life.Closed, Listen: s.listen}.Watch(ctx, observe)
}

// listen delivers new commits until changes were missed or ctx is done. An
// error means that the tables are missing or unsupported.
func (s *Store) listen(ctx context.Context, q *backend.Queue) error {
	if _, err := s.statements(ctx); err != nil {
		return err
	}
	var last int64
	if (db{s}).Row(ctx, lastChange).Scan(&last) != nil {
		return nil
	}
	q.Up()
	for ctx.Err() == nil {
		// Loaded before the changes are read, so that a write in between is
		// noticed.
		changed := *s.changed.Load()
		more, err := s.deliver(ctx, &last, q)
		if err != nil {
			return nil
		}
		q.Flush(ctx) // the file buffers changes for a slow observer
		if !more {
			wait(ctx, changed)
		}
	}
	return nil
}

// errGap ends a feed that missed changes.
var errGap = errors.New("changes were deleted before they were read")

// deliver pushes the changes after number last and advances last. It reports
// whether there may be more.
func (s *Store) deliver(ctx context.Context, last *int64, q *backend.Queue) (more bool, err error) {
	// Read the last one again, to check that the changes after it are still
	// stored.
	changes, more, err := backend.Page(ctx, db{s}, scanChange, maxChanges, listChanges, *last, maxChanges+1)
	if err != nil {
		return false, err
	}
	if len(changes) == 0 || changes[0].number != *last {
		return false, errGap
	}
	for _, c := range changes[1:] {
		change, ok := backend.ParseChange(c.letter, c.key)
		if !ok {
			return false, errors.New("the feed contains a change of an unknown kind")
		}
		q.Push(change)
		*last = c.number
	}
	return more, nil
}

// wait waits for a change of this store, or for the next poll.
func wait(ctx context.Context, changed <-chan struct{}) {
	timer := time.NewTimer(pollInterval)
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// numbered is a row of the feed, written by the triggers.
type numbered struct {
	number      int64
	letter, key string
}

func scanChange(r backend.Row) (n numbered, err error) {
	err = r.Scan(&n.number, &n.letter, &n.key)
	return n, err
}
