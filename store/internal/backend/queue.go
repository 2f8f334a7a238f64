package backend

import (
	"context"
	"sync"

	"github.com/onezone-go/onezone/store"
)

// maxQueue is how many changes wait for a slow observer.
const maxQueue = 4096

// Queue is what a call of Watch has still to tell. It stands between the
// database, which must not be made to keep changes, and an observer that may be
// slow.
type Queue struct {
	mu      sync.Mutex
	changes []store.Change
	telling bool          // of what was taken, not all is told
	isUp    bool          // the feed stands, as far as was pushed
	wake    chan struct{} // holds one when there is something to tell
	told    chan struct{} // holds one when all was told
}

func newQueue() *Queue { return &Queue{wake: make(chan struct{}, 1), told: make(chan struct{}, 1)} }

// Up tells that the feed stands: that all changes from here on will be pushed.
func (q *Queue) Up() { q.Push(store.Change{Kind: store.FeedUp}) }

// Gap tells that the feed was lost for a moment, and any record may have changed.
func (q *Queue) Gap() {
	q.Push(store.Change{Kind: store.FeedDown})
	q.Up()
}

// Push adds the change, and never waits. Where too many wait they are dropped, and
// the feed counts as lost in their place.
func (q *Queue) Push(c store.Change) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if c.Kind == store.FeedUp || c.Kind == store.FeedDown {
		q.isUp = c.Kind == store.FeedUp
	}
	if len(q.changes) < maxQueue {
		q.changes = append(q.changes, c)
	} else {
		q.changes = []store.Change{{Kind: store.FeedDown}}
		if c.Kind != store.FeedDown {
			q.changes = append(q.changes, store.Change{Kind: store.FeedUp})
		}
	}
	ring(q.wake)
}

// down tells that the feed is lost, if it stood, and reports whether it did.
func (q *Queue) down() bool {
	q.mu.Lock()
	wasUp := q.isUp
	q.mu.Unlock()
	if wasUp {
		q.Push(store.Change{Kind: store.FeedDown})
	}
	return wasUp
}

// Flush waits until all that was pushed is told, or ctx is done. It is for drivers
// that can leave changes where they are until the observer has time for them.
func (q *Queue) Flush(ctx context.Context) {
	for q.isBusy() {
		select {
		case <-q.told:
		case <-ctx.Done():
			return
		}
	}
}

func (q *Queue) isBusy() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.telling || len(q.changes) > 0
}

// take empties the queue. What it held is told when settle is called.
func (q *Queue) take() []store.Change {
	q.mu.Lock()
	defer q.mu.Unlock()
	changes := q.changes
	q.changes, q.telling = nil, true
	return changes
}

func (q *Queue) settle() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.telling = false
	ring(q.told)
}

func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default: // it has yet to be heard
	}
}
