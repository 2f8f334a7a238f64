package sqlite

import (
	"context"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/backend"
)

const (
	// pollInterval is how often a watcher looks for the changes of other processes.
	pollInterval = 50 * time.Millisecond
	// maxChanges is how many changes a watcher reads at once.
	maxChanges = 1000
)

// Watch implements [store.Watcher]. The changes of this store are told as soon as
// they are committed, those of other stores and processes within 100 milliseconds
// or so: it looks every 50. It reads the file and holds no connection while the observer is called
// or nothing happens.
//
// An observer that is so late that its changes are no longer kept, 15,000 or
// more, is told [store.FeedDown] and [store.FeedUp] in place of them; so it is
// where the file was replaced by an older one. FeedUp is reported once a second at
// most. Watch returns at once, with the
// error wrapped, where the tables are not there, and returns [store.ErrClosed],
// wrapped, when the store is closed.
func (s *Store) Watch(ctx context.Context, observe func(store.Change)) error {
	return backend.Feed{Readier: s.life, Closed: s.life.Closed, Listen: s.listen}.Watch(ctx, observe)
}

// listen passes on what is committed from now on until the feed cannot be read
// without a gap, or ctx is done. The error is one of the tables.
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
		// Asked for before the changes are read, lest one made in between be
		// overlooked.
		changed := *s.changed.Load()
		more, err := s.deliver(ctx, &last, q)
		if err != nil {
			return nil
		}
		q.Flush(ctx) // what the observer has no time for stays in the file
		if !more {
			wait(ctx, changed)
		}
	}
	return nil
}

// errGap is why a feed is lost that can be read.
var errGap = errors.New("changes were forgotten before they were read")

// deliver passes on the changes after the one with the number last, which becomes
// the number of the last of them. It reports whether there may be more.
func (s *Store) deliver(ctx context.Context, last *int64, q *backend.Queue) (more bool, err error) {
	// With the last one, to see whether those after it are still there.
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
			return false, errors.New("the feed tells of a change of an unknown kind")
		}
		q.Push(change)
		*last = c.number
	}
	return more, nil
}

// wait waits for a change of this store, or until it is time to look for those of
// others.
func wait(ctx context.Context, changed <-chan struct{}) {
	timer := time.NewTimer(pollInterval)
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// numbered is a row of the feed, as the triggers write it.
type numbered struct {
	number      int64
	letter, key string
}

func scanChange(r backend.Row) (n numbered, err error) {
	err = r.Scan(&n.number, &n.letter, &n.key)
	return n, err
}
