package cache

import (
	"context"
	"time"

	"github.com/onezone-go/onezone/store"
)

// How long to wait before a feed that ended by itself is asked for again.
const (
	minRetry = 100 * time.Millisecond
	maxRetry = 10 * time.Second
)

// follow watches the backend until the cache is closed. It goes on asking a store
// without a feed, which may get one while it is in use.
func (c *cached) follow() {
	retry := minRetry
	for {
		_ = c.backend.Watch(c.life, func(change store.Change) {
			switch change.Kind {
			case store.FeedUp:
				retry = minRetry
				c.flush()
				c.ttl.Store(int64(c.options.TTL))
				c.feedStands.Store(true)
			case store.FeedDown:
				c.loseFeed()
			default:
				c.apply(change)
			}
		})
		c.loseFeed()
		select {
		case <-c.life.Done():
			return
		case <-time.After(retry):
		}
		retry = min(2*retry, maxRetry)
	}
}

// loseFeed is for the time in which nobody tells of changes. Where that has
// lasted for a while already, answers are young.
func (c *cached) loseFeed() {
	if c.feedStands.Swap(false) {
		c.ttl.Store(int64(c.options.ShortTTL))
		c.flush()
	}
}

// flush drops everything.
func (c *cached) flush() {
	c.versions.flushes.Add(1)
	c.known.InvalidateAll() // which is for the memory only
	c.unknown.InvalidateAll()
}

// apply drops what depends on the change.
func (c *cached) apply(change store.Change) {
	switch change.Kind {
	case store.TokenChanged:
		c.change(keyOfToken(change.TokenID))
	case store.TemporaryChanged:
		c.change(keyOfTemporary(change.Subject))
	case store.IdentityChanged:
		c.change(keyOfIdentity(change.Subject))
	default:
		c.flush() // changes were missed, or of a kind to come
	}
}

// Watch implements [store.Watcher]. An observer may be told before the cache
// itself is: it must not find in the cache what it was told is no longer so.
func (c *cached) Watch(ctx context.Context, observe func(store.Change)) error {
	if observe == nil {
		return c.backend.Watch(ctx, nil)
	}
	return c.backend.Watch(ctx, func(change store.Change) {
		c.apply(change)
		observe(change)
	})
}
