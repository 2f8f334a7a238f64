package cache

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// maxID is the maximum length of ids in a store. Longer ids of forged tokens
// are not cached.
const maxID = 1024

// entry is an immutable answer.
type entry struct {
	key     store.Key
	unknown bool          // there is no such key
	read    time.Duration // start of the look-up
	flushes uint64
	own     dependency // on the record itself
	holder  dependency // on the identity of the subject
}

// isValid reports whether the answer may be returned.
func (c *cached) isValid(e *entry) bool {
	now := c.now()
	return e.read <= now && !c.isExpired(e, now) && c.isCurrent(e)
}

// isCurrent reports whether nothing that the answer depends on has changed.
func (c *cached) isCurrent(e *entry) bool {
	return e.own.isCurrent() && e.holder.isCurrent() && e.flushes == c.versions.flushes.Load()
}

// isExpired reports whether the answer was too old at the given time.
func (c *cached) isExpired(e *entry, at time.Duration) bool {
	ttl := time.Duration(c.ttl.Load())
	if e.unknown {
		ttl = min(ttl, c.options.NegativeTTL)
	}
	return at-e.read >= ttl
}

// find returns the valid answer in the cache, or nil.
func (c *cached) find(k key) *entry {
	if e, ok := c.known.GetIfPresent(k); ok && c.isValid(e) {
		return e
	}
	if e, ok := c.unknown.GetIfPresent(k); ok && c.isValid(e) {
		return e
	}
	return nil
}

func (c *cached) NamedKey(ctx context.Context, id string) (store.Key, error) {
	return c.lookUp(ctx, keyOfToken(id))
}

func (c *cached) TemporaryKey(ctx context.Context, subject caveat.Subject) (store.Key, error) {
	return c.lookUp(ctx, keyOfTemporary(subject))
}

func (c *cached) lookUp(ctx context.Context, k key) (store.Key, error) {
	if err := ctx.Err(); err != nil {
		return store.Key{}, failed(err)
	}
	e := c.find(k)
	switch {
	case e == nil:
		c.lookUps.RecordMisses(1)
		return c.loadShared(ctx, k)
	case e.unknown:
		c.lookUps.RecordHits(1)
		return store.Key{}, errors.NotFound()
	}
	c.lookUps.RecordHits(1)
	return e.key, nil
}

// loadShared waits for a look-up in the backend, which concurrent callers
// share.
func (c *cached) loadShared(ctx context.Context, k key) (store.Key, error) {
	if len(k.id) > maxID {
		return c.queryBackend(ctx, k)
	}
	k.id = strings.Clone(k.id) // the id is part of a token; do not keep the token in memory
	for began := c.now(); ; {
		state := c.versions.snapshot(k)
		flight := c.flights.DoChan(state.flightKey(k), func() (any, error) { return c.load(ctx, k, state) })
		select {
		case <-ctx.Done():
			return store.Key{}, failed(ctx.Err())
		case landed := <-flight:
			e := landed.Val.(*entry)
			switch {
			case landed.Err != nil && c.life.Err() != nil:
				return c.queryBackend(ctx, k) // the cache was closed
			case (landed.Err == nil || e.unknown) && c.isExpired(e, began):
				continue // the shared look-up began too long before this call
			}
			return e.key, landed.Err
		}
	}
}

func failed(err error) error { return fmt.Errorf("look up a key: %w", err) }

// load looks up the key for all waiting callers and caches the answer. The
// context of the first caller does not end it.
func (c *cached) load(ctx context.Context, k key, state state) (*entry, error) {
	e := &entry{read: c.now(), own: state.own, flushes: state.flushes}
	if !c.begin() {
		return e, failed(c.life.Err())
	}
	defer c.running.Done()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.options.LoadTimeout)
	defer cancel()
	defer context.AfterFunc(c.life, cancel)()
	var err error
	e.key, err = c.queryBackend(ctx, k)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil {
		// Not wrapped, because it is not the deadline of the waiting callers.
		err = failed(fmt.Errorf("the backend did not answer within %v: %v", c.options.LoadTimeout, err))
	}
	e.unknown = errors.Is(err, errors.IDNotFound)
	if err == nil || e.unknown {
		c.keep(k, e, state)
	}
	return e, err
}

// keep adds the answer to the cache. Look-ups check whether it is valid, but
// the version of the identity was unknown when the answer was read.
func (c *cached) keep(k key, e *entry, state state) {
	if e.unknown {
		c.known.Invalidate(k)
		c.setIfCurrent(c.unknown, k, e)
		return
	}
	e.holder = c.versions.dependOn(keyOfIdentity(e.key.Subject))
	if c.versions.identities.Load() != state.identities {
		return
	}
	c.unknown.Invalidate(k)
	c.setIfCurrent(c.known, k, e)
}

// queryBackend looks the key up in the backend.
func (c *cached) queryBackend(ctx context.Context, k key) (key store.Key, err error) {
	c.loads.Add(1)
	if k.kind == store.TokenRecords {
		key, err = c.backend.NamedKey(ctx, k.id)
	} else {
		key, err = c.backend.TemporaryKey(ctx, caveat.Subject{Type: k.subject, ID: k.id})
	}
	if err != nil && !errors.Is(err, errors.IDNotFound) {
		c.loadErrors.Add(1)
	}
	return key, err
}

// begin counts a running goroutine. It returns false if the cache is closed.
func (c *cached) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.life.Err() != nil {
		return false
	}
	c.running.Add(1)
	return true
}
