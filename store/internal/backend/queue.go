package backend

import (
	"context"
	"sync"

	"github.com/onezone-go/onezone/store"
)

// maxQueue is the maximum number of changes buffered for a slow observer.
const maxQueue = 4096

// Queue buffers changes between the database and an observer, so that a slow
// observer cannot block the connection.
type Queue struct {
	mu         sync.Mutex
	changes    []store.Change
	delivering bool          // some taken changes are not delivered yet
	isUp       bool          // the last FeedUp or FeedDown pushed was FeedUp
	wake       chan struct{} // signals that there are changes
	delivered  chan struct{} // signals that all changes were delivered
}

func newQueue() *Queue {
	return &Queue{wake: make(chan struct{}, 1), delivered: make(chan struct{}, 1)}
}

// Up reports that the feed is connected: all later changes will be pushed.
func (q *Queue) Up() { q.Push(store.Change{Kind: store.FeedUp}) }

// Gap reports that changes may have been missed, of any record.
func (q *Queue) Gap() {
	q.Push(store.Change{Kind: store.FeedDown})
	q.Up()
}

// Push adds the change without blocking. If the queue is full, its changes are
// dropped and the feed is reported as disconnected instead.
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
	signal(q.wake)
}

// markDown reports that the feed disconnected, if it was connected. It returns
// whether it was.
func (q *Queue) markDown() bool {
	q.mu.Lock()
	wasUp := q.isUp
	q.mu.Unlock()
	if wasUp {
		q.Push(store.Change{Kind: store.FeedDown})
	}
	return wasUp
}

// Flush waits until all pushed changes are delivered or ctx is done. Drivers
// that can leave changes in the database use it to wait for the observer.
func (q *Queue) Flush(ctx context.Context) {
	for q.isBusy() {
		select {
		case <-q.delivered:
		case <-ctx.Done():
			return
		}
	}
}

func (q *Queue) isBusy() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.delivering || len(q.changes) > 0
}

// take empties the queue. The caller calls markDelivered when it has delivered
// the changes.
func (q *Queue) take() []store.Change {
	q.mu.Lock()
	defer q.mu.Unlock()
	changes := q.changes
	q.changes, q.delivering = nil, true
	return changes
}

func (q *Queue) markDelivered() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.delivering = false
	signal(q.delivered)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // already signaled
	}
}
