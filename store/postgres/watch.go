package postgres

import (
	"context"
	"fmt"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// ErrNoFeed is wrapped in the error of [Store.Watch] where the [Options], or those
// that the schema was migrated with, say NoFeed. It is [errors.ErrUnsupported].
var ErrNoFeed = fmt.Errorf("the schema has no feed of changes: %w", errors.ErrUnsupported)

// Watch implements [store.Watcher]. It has a connection of its own besides the
// pool, to FeedURL of the [Options]. Where the server cannot be reached, also at
// the beginning, it goes on trying, once a second or more often.
//
// [store.FeedUp] is reported when a notification that this call sent through the
// pool has arrived, so that a connection on which LISTEN gets lost never counts as
// a feed: the first has 5 seconds to arrive. They are sent every 5 seconds; where
// none that is younger than 10 seconds has arrived, the feed is down. A server that hangs is noticed
// within 3 seconds. FeedUp is reported once a second at most, whatever others
// send.
//
// An observer that is thousands of changes late is told [store.FeedDown] and
// [store.FeedUp] in place of them. Watch returns at once, with the error
// wrapped, where the tables are not there or have no feed ([ErrNoFeed]), and
// returns [store.ErrClosed], wrapped, when the store is closed. badData {key
// "feedUrl"}: FeedURL is no connection string.
func (s *Store) Watch(ctx context.Context, observe func(store.Change)) error {
	var notice errorNotice
	return backend.Feed{
		Readier: s.life, Closed: s.life.Closed, UpEvery: s.feed.upEvery,
		Listen: func(ctx context.Context, q *backend.Queue) error {
			if s.feed.err != nil {
				return s.feed.err
			}
			return s.listen(ctx, q, &notice)
		},
	}.Watch(ctx, observe)
}
