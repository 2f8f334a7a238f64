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

// maxID is the longest id that a store keeps. Longer ones, which can come with
// forged tokens, are not worth the memory.
const maxID = 1024

// entry is an answer. It never changes.
type entry struct {
	key     store.Key
	unknown bool          // there is no such key
	read    time.Duration // when the look-up began
	flushes uint64
	own     dependency // on the record itself
	holder  dependency // on the identity of the subject
}

// isGood reports whether the answer may still be given.
func (c *cached) isGood(e *entry) bool {
	now := c.now()
	return e.read <= now && !c.isTooOld(e, now) && c.isCurrent(e)
}

// isCurrent reports whether nothing has changed that the answer depends on.
func (c *cached) isCurrent(e *entry) bool {
	return e.own.holds() && e.holder.holds() && e.flushes == c.versions.flushes.Load()
}

// isTooOld reports whether the answer was so at the time.
func (c *cached) isTooOld(e *entry, at time.Duration) bool {
	ttl := time.Duration(c.ttl.Load())
	if e.unknown {
		ttl = min(ttl, c.options.NegativeTTL)
	}
	return at-e.read >= ttl
}

// find returns the answer that is kept and good, nil if there is none.
func (c *cached) find(k key) *entry {
	if e, ok := c.known.GetIfPresent(k); ok && c.isGood(e) {
		return e
	}
	if e, ok := c.unknown.GetIfPresent(k); ok && c.isGood(e) {
		return e
	}
	return nil
}

// NamedKey implements [store.Keys].
func (c *cached) NamedKey(ctx context.Context, id string) (store.Key, error) {
	return c.lookUp(ctx, keyOfToken(id))
}

// TemporaryKey implements [store.Keys].
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
		return c.load(ctx, k)
	case e.unknown:
		c.lookUps.RecordHits(1)
		return store.Key{}, errors.NotFound()
	}
	c.lookUps.RecordHits(1)
	return e.key, nil
}

// load waits for a look-up in the backend, which it may share with others.
func (c *cached) load(ctx context.Context, k key) (store.Key, error) {
	if len(k.id) > maxID {
		return c.ask(ctx, k)
	}
	k.id = strings.Clone(k.id) // it is part of a token, which must not stay in memory with it
	for began := c.now(); ; {
		state := c.versions.now(k)
		flight := c.flights.DoChan(state.flight(k), func() (any, error) { return c.fly(ctx, k, state) })
		select {
		case <-ctx.Done():
			return store.Key{}, failed(ctx.Err())
		case landed := <-flight:
			e := landed.Val.(*entry)
			switch {
			case landed.Err != nil && c.life.Err() != nil:
				return c.ask(ctx, k) // the cache was closed meanwhile
			case (landed.Err == nil || e.unknown) && c.isTooOld(e, began):
				continue // it was under way for long when this call joined it
			}
			return e.key, landed.Err
		}
	}
}

func failed(err error) error { return fmt.Errorf("look up a key: %w", err) }

// fly looks the key up for all who wait, and keeps the answer. It does not end
// with the context of the caller who happened to be the first.
func (c *cached) fly(ctx context.Context, k key, state state) (*entry, error) {
	e := &entry{read: c.now(), own: state.own, flushes: state.flushes}
	if !c.begin() {
		return e, failed(c.life.Err())
	}
	defer c.running.Done()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.options.LoadTimeout)
	defer cancel()
	defer context.AfterFunc(c.life, cancel)()
	var err error
	e.key, err = c.ask(ctx, k)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil {
		// Not wrapped: it is not the deadline of those who wait.
		err = failed(fmt.Errorf("the backend did not answer within %v: %v", c.options.LoadTimeout, err))
	}
	e.unknown = errors.Is(err, errors.IDNotFound)
	if err == nil || e.unknown {
		c.keep(k, e, state)
	}
	return e, err
}

// keep puts the answer where look-ups find it. They see whether it is good; only
// the version of the identity was not known when the answer was read.
func (c *cached) keep(k key, e *entry, state state) {
	if e.unknown {
		c.known.Invalidate(k)
		c.keepCurrent(c.unknown, k, e)
		return
	}
	e.holder = c.versions.dependOn(keyOfIdentity(e.key.Subject))
	if c.versions.identities.Load() != state.identities {
		return
	}
	c.unknown.Invalidate(k)
	c.keepCurrent(c.known, k, e)
}

// ask looks the key up in the backend.
func (c *cached) ask(ctx context.Context, k key) (key store.Key, err error) {
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

// begin counts a look-up as running, unless the cache is closed.
func (c *cached) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.life.Err() != nil {
		return false
	}
	c.running.Add(1)
	return true
}
