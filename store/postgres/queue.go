package postgres

import (
	"sync"

	"github.com/onezone-go/onezone/store"
)

// maxQueue is how many changes wait for a slow observer.
const maxQueue = 4096

// queue is what a call of Watch has still to tell. It stands between the
// connection, which has to be read lest the server keep the notifications of
// all, and an observer that may be slow.
type queue struct {
	mu      sync.Mutex
	changes []store.Change
	wake    chan struct{} // holds one when there is something to tell
}

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

// push adds the change. Where too many wait they are dropped, and the feed counts
// as lost in their place.
func (q *queue) push(c store.Change) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.changes) < maxQueue {
		q.changes = append(q.changes, c)
	} else {
		q.changes = []store.Change{{Kind: store.FeedDown}}
		if c.Kind != store.FeedDown {
			q.changes = append(q.changes, store.Change{Kind: store.FeedUp})
		}
	}
	select {
	case q.wake <- struct{}{}:
	default: // it has yet to take what is there
	}
}

// take empties the queue.
func (q *queue) take() []store.Change {
	q.mu.Lock()
	defer q.mu.Unlock()
	changes := q.changes
	q.changes = nil
	return changes
}
