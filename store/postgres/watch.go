package postgres

import (
	"context"
	"fmt"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// errNoFeed is the error of [Store.Watch] for a schema without a feed. NoFeed
// was set in the [Options], or in those that the schema was migrated with.
var errNoFeed = fmt.Errorf("the schema has no feed of changes: %w", errors.ErrUnsupported)

// Watch implements [store.Watcher]. It opens its own connection, to FeedURL of
// the [Options]. If the server cannot be reached, it retries at least once a
// second.
//
// It sends probes through the pool and reports [store.FeedUp] when the first
// has arrived, within 5 seconds. So a connection on which LISTEN does not work
// never counts as connected. Further probes follow every 5 seconds; if none
// younger than 10 seconds has arrived, the feed is down. A server that hangs is
// noticed within 3 seconds. FeedUp is reported at most once a second.
//
// An observer that is thousands of changes late receives [store.FeedDown] and
// [store.FeedUp] instead of them.
//
// Errors:
//   - [errors.ErrUnsupported], wrapped, at once: NoFeed was set in the
//     [Options], or in those of Migrate
//   - another operational error, at once: the tables do not exist
//   - [store.ErrClosed], wrapped: the store was closed
//   - badData {key "feedUrl"}: FeedURL is not a connection string
//
// [errors.ErrUnsupported]: https://pkg.go.dev/errors#ErrUnsupported
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
