package macaroon

import (
	"context"
	"fmt"
	"hash/maphash"
	"math"
	"sync"
	"time"
)

// throttle limits failed log-ins with one token bucket for each key. Failures
// drain a bucket, and time refills it. The missing amount of a bucket is
// measured as the time until it is full again.
type throttle struct {
	capacity time.Duration // of a bucket; 0: throttling is off
	interval time.Duration // in which a bucket gains one token
	now      func() time.Time
	seed     maphash.Seed

	mu       sync.Mutex
	buckets  map[uint64]*bucket // by the hash of the key; a missing bucket is full
	finished chan struct{}      // closed and replaced whenever an attempt finishes
}

type bucket struct {
	missing time.Duration // at the time below
	at      time.Time
	pending int // attempts that took a token and are still in flight
}

// maxBuckets bounds the memory of a throttle. Beyond it, a new key evicts a
// random one.
const maxBuckets = 100_000

func newThrottle(capacity int, interval time.Duration, now func() time.Time) *throttle {
	t := &throttle{
		interval: interval, now: now, seed: maphash.MakeSeed(),
		buckets: make(map[uint64]*bucket), finished: make(chan struct{}),
	}
	if capacity > 0 && interval > 0 {
		t.capacity = interval * min(time.Duration(capacity), math.MaxInt64/2/interval)
	}
	return t
}

// throttleKey identifies a count of failures.
type throttleKey struct {
	name string
	// A failure costs 1/parts of a token; 0 means 1. Many users may share an
	// address, so an address may fail more often than one user.
	parts time.Duration
}

// cost returns the cost of one failure, as the time until it is refilled.
func (t *throttle) cost(k throttleKey) time.Duration { return t.interval / max(k.parts, 1) }

// attempt takes the cost of a failure from each key's bucket. It does so before
// the outcome is known, so that all concurrent attempts count. The caller must
// call finish, which refunds the cost unless the attempt failed. While a bucket
// is empty only because of attempts in flight, attempt waits for them. Errors:
// a ThrottledError if a bucket is empty because of failures; that of ctx.
func (t *throttle) attempt(ctx context.Context, keys ...throttleKey) (finish func(failed bool), err error) {
	if t.capacity == 0 {
		return func(bool) {}, nil
	}
	for {
		wait, finished := t.take(keys)
		switch {
		case finished != nil:
			select {
			case <-finished:
				continue
			case <-ctx.Done():
				return nil, fmt.Errorf("waiting to log in: %w", ctx.Err())
			}
		case wait > 0:
			return nil, ThrottledError{wait}
		}
		return func(failed bool) { t.finish(keys, failed) }, nil
	}
}

func (t *throttle) hash(k throttleKey) uint64 { return maphash.String(t.seed, k.name) }

// take takes the cost of a failure from all keys or from none. If from none, it
// returns a time to wait, or a channel that is closed when an attempt finishes.
func (t *throttle) take(keys []throttleKey) (wait time.Duration, finished <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range keys {
		b := t.bucket(t.hash(k))
		switch short := b.missing + t.cost(k) - t.capacity; {
		case short <= 0:
		case b.pending > 0:
			finished = t.finished
		default:
			wait = max(wait, short)
		}
	}
	if wait > 0 {
		return wait, nil
	}
	if finished == nil {
		for _, k := range keys {
			b := t.bucket(t.hash(k))
			b.missing += t.cost(k)
			b.pending++
			t.put(t.hash(k), b)
		}
	}
	return 0, finished
}

// finish ends an attempt, and refunds its cost unless it failed.
func (t *throttle) finish(keys []throttleKey, failed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range keys {
		b := t.bucket(t.hash(k))
		b.pending = max(b.pending-1, 0)
		if !failed {
			b.missing = max(b.missing-t.cost(k), 0)
		}
		t.put(t.hash(k), b)
	}
	close(t.finished)
	t.finished = make(chan struct{})
}

// bucket returns the bucket of a key, refilled up to the current time.
func (t *throttle) bucket(hash uint64) *bucket {
	now := t.now()
	b, ok := t.buckets[hash]
	if !ok {
		return &bucket{at: now}
	}
	// If the clock was set back, nothing is refilled, and counting continues
	// from the new time.
	b.missing, b.at = max(b.missing-max(now.Sub(b.at), 0), 0), now
	return b
}

func (t *throttle) put(hash uint64, b *bucket) {
	if b.missing == 0 {
		delete(t.buckets, hash)
		return
	}
	if _, known := t.buckets[hash]; !known && len(t.buckets) >= maxBuckets {
		for other := range t.buckets {
			delete(t.buckets, other)
			break
		}
	}
	t.buckets[hash] = b
}
