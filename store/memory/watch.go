package memory

import (
	"context"
	"fmt"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// maxQueue is how many changes wait for a slow observer. Then they are dropped,
// and the feed counts as lost, so that no observer holds up writers or fills
// the memory.
const maxQueue = 4096

// watcher is what one call of Watch has still to tell. The store's mutex guards
// it.
type watcher struct {
	queue []store.Change
	lost  bool          // the queue was full: nothing is queued until the observer knows
	wake  chan struct{} // holds one when there is something to tell
}

// Watch implements [store.Watcher]. An observer that is thousands of changes
// late is told [store.FeedDown] and [store.FeedUp] in place of them. Watch
// returns [store.ErrClosed], wrapped, when the store is closed.
func (s *Store) Watch(ctx context.Context, observe func(store.Change)) error {
	const watch = "watch the store"
	if err := s.ready(ctx, watch); err != nil {
		return err
	}
	if observe == nil {
		return errors.BadDataHint("observe", "a feed needs somebody to tell")
	}
	w := &watcher{wake: make(chan struct{}, 1)}
	s.mu.Lock()
	s.watchers[w] = struct{}{}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watchers, w)
	}()

	observe(store.Change{Kind: store.FeedUp})
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", watch, ctx.Err())
		case <-s.done:
			observe(store.Change{Kind: store.FeedDown})
			return fmt.Errorf("%s: %w", watch, store.ErrClosed)
		case <-w.wake:
		}
		for _, change := range s.take(w) {
			if ctx.Err() != nil {
				break
			}
			observe(change)
		}
	}
}

// take empties the queue.
func (s *Store) take(w *watcher) []store.Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	queue := w.queue
	if w.lost {
		queue = []store.Change{{Kind: store.FeedDown}, {Kind: store.FeedUp}}
	}
	w.queue, w.lost = nil, false
	return queue
}

// publish tells the watchers of a change that verifications see already. The
// caller holds the mutex, which keeps changes in their order.
func (s *Store) publish(c store.Change) {
	for w := range s.watchers {
		if len(w.queue) == maxQueue {
			w.queue, w.lost = nil, true
		}
		if !w.lost {
			w.queue = append(w.queue, c)
		}
		select {
		case w.wake <- struct{}{}:
		default: // it has yet to take what is there
		}
	}
}
