package sqlite

import (
	"context"
	"sync"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/columns"
)

const (
	// lookout is how often a watcher looks for the changes of other processes.
	lookout = 50 * time.Millisecond
	// maxChanges is how many changes a watcher reads at once.
	maxChanges = 1000
	// upInterval is the time between one FeedUp and the next, at least: each makes
	// an observer forget what it knows.
	upInterval = time.Second
	// maxRecovery is the longest pause between two attempts to read the feed.
	maxRecovery = time.Second
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
	const doing = "watch the store"
	if err := s.ready(ctx, doing); err != nil {
		return err
	}
	if observe == nil {
		return errors.BadDataHint("observe", "a feed needs somebody to tell")
	}
	if _, err := s.statements(ctx); err != nil {
		return s.environment(ctx, doing, err)
	}
	ended, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.closed, cancel)()
	for failures := 0; ; failures++ {
		began := time.Now()
		stood, err := s.stand(ended, observe)
		if ctx.Err() != nil {
			return s.environment(ctx, doing, err)
		}
		if stood {
			observe(store.Change{Kind: store.FeedDown})
			failures = 0
		}
		if s.closed.Err() != nil {
			return s.environment(ctx, doing, err)
		}
		if stood {
			sleep(ended, upInterval-time.Since(began))
		}
		pause(ended, min(10*time.Millisecond<<min(failures, 10), maxRecovery))
	}
}

// stand passes on what is committed from now on until the feed cannot be read
// without a gap, or ctx is done. It reports whether the feed stood.
func (s *Store) stand(ctx context.Context, observe func(store.Change)) (stood bool, err error) {
	last, err := readOne(ctx, s, scanNumber, lastChange)
	if err != nil {
		return false, err
	}
	observe(store.Change{Kind: store.FeedUp})
	for ctx.Err() == nil {
		// Asked for before the changes are read, lest one made in between be
		// overlooked.
		changed := s.changed.next()
		var more bool
		if last, more, err = s.tell(ctx, last, observe); err != nil {
			return true, err
		}
		if !more {
			wait(ctx, changed)
		}
	}
	return true, ctx.Err()
}

// errGap is why a feed is lost that can be read.
var errGap = errors.New("changes were forgotten before they were read")

// tell passes on the changes after the one with the number last, returns the
// number of the last of them, and whether there may be more.
func (s *Store) tell(ctx context.Context, last int64, observe func(store.Change)) (int64, bool, error) {
	// With the last one, to see whether those after it are still there.
	changes, more, err := readPage(ctx, s, scanChange, maxChanges, listChanges, last, maxChanges+1)
	if err != nil {
		return last, false, err
	}
	if len(changes) == 0 || changes[0].number != last {
		return last, false, errGap
	}
	for _, c := range changes[1:] {
		if ctx.Err() != nil {
			return last, false, nil
		}
		change, err := c.change()
		if err != nil {
			return last, false, err
		}
		observe(change)
		last = c.number
	}
	return last, more, nil
}

// wait waits for a change of this store, or until it is time to look for those of
// others.
func wait(ctx context.Context, changed <-chan struct{}) {
	timer := time.NewTimer(lookout)
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// sleep waits for the time, or until ctx is done.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func scanNumber(r row) (number int64, err error) {
	err = r.Scan(&number)
	return number, err
}

// numbered is a row of the feed, as the triggers write it.
type numbered struct {
	number    int64
	kind, key string
}

func scanChange(r row) (n numbered, err error) {
	err = r.Scan(&n.number, &n.kind, &n.key)
	return n, err
}

func (n numbered) change() (c store.Change, err error) {
	switch n.kind {
	case "t":
		return store.Change{Kind: store.TokenChanged, TokenID: n.key}, nil
	case "k":
		c.Kind = store.TemporaryChanged
	case "i":
		c.Kind = store.IdentityChanged
	default:
		return store.Change{}, errors.New("the feed tells of a change of an unknown kind")
	}
	c.Subject, err = columns.ParseSubject(n.key)
	return c, err
}

// bell tells any number of waiters at once. The zero bell is ready for use.
type bell struct {
	mu   sync.Mutex
	rung chan struct{} // nil: nobody waits
}

// next returns what is closed when the bell rings next.
func (b *bell) next() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rung == nil {
		b.rung = make(chan struct{})
	}
	return b.rung
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rung != nil {
		close(b.rung)
		b.rung = nil
	}
}
