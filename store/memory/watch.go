package memory

import (
	"context"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// Watch implements [store.Watcher]. An observer that is thousands of changes
// late receives [store.FeedDown] and [store.FeedUp] instead of them. Watch
// returns [store.ErrClosed], wrapped, when the store is closed.
func (s *Store) Watch(ctx context.Context, observe func(store.Change)) error {
	return backend.Feed{Readier: s.life, Closed: s.life.Closed, Listen: s.listen}.Watch(ctx, observe)
}

// listen registers q for all changes until ctx is done.
func (s *Store) listen(ctx context.Context, q *backend.Queue) error {
	s.mu.Lock()
	s.watchers[q] = struct{}{}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watchers, q)
	}()
	q.Up()
	<-ctx.Done()
	return nil
}

// publish reports a change that verifications already see. The mutex must be
// held, so that changes stay in order.
func (s *Store) publish(c store.Change) {
	for q := range s.watchers {
		q.Push(c)
	}
}
