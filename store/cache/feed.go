package cache

import (
	"context"
	"time"

	"github.com/onezone-go/onezone/store"
)

// Pauses before the feed is opened again.
const (
	minRetry = 100 * time.Millisecond
	maxRetry = 10 * time.Second
)

// runFeed watches the backend until the cache is closed. It also retries a
// store without a feed, because the feed may be added later.
func (c *cached) runFeed() {
	retry := minRetry
	for {
		_ = c.backend.Watch(c.life, func(change store.Change) {
			switch change.Kind {
			case store.FeedUp:
				retry = minRetry
				c.flush()
				c.ttl.Store(int64(c.options.TTL))
				c.feedUp.Store(true)
			case store.FeedDown:
				c.feedDown()
			default:
				c.apply(change)
			}
		})
		c.feedDown()
		select {
		case <-c.life.Done():
			return
		case <-time.After(retry):
		}
		retry = min(2*retry, maxRetry)
	}
}

// feedDown shortens the lifetime of answers and drops all of them, if the feed
// was connected.
func (c *cached) feedDown() {
	if c.feedUp.Swap(false) {
		c.ttl.Store(int64(c.options.ShortTTL))
		c.flush()
	}
}

// flush drops all answers.
func (c *cached) flush() {
	c.versions.flushes.Add(1)
	c.known.InvalidateAll() // only frees memory
	c.unknown.InvalidateAll()
}

// apply drops the answers that depend on the change.
func (c *cached) apply(change store.Change) {
	switch change.Kind {
	case store.TokenChanged:
		c.change(keyOfToken(change.TokenID))
	case store.TemporaryChanged:
		c.change(keyOfTemporary(change.Subject))
	case store.IdentityChanged:
		c.change(keyOfIdentity(change.Subject))
	default:
		c.flush() // missed changes, or an unknown kind
	}
}

// Watch implements [store.Watcher]. It applies each change before the observer
// sees it, so that the observer never finds an outdated answer in the cache.
func (c *cached) Watch(ctx context.Context, observe func(store.Change)) error {
	if observe == nil {
		return c.backend.Watch(ctx, nil)
	}
	return c.backend.Watch(ctx, func(change store.Change) {
		c.apply(change)
		observe(change)
	})
}
