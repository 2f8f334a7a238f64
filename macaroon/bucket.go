package macaroon

import (
	"context"
	"fmt"
	"hash/maphash"
	"math"
	"sync"
	"time"
)

// throttle slows down clients whose log-ins keep failing: a token bucket for each
// key, out of which failures take and which time fills again. What is missing
// from a bucket is counted as the time that it takes to fill in.
type throttle struct {
	capacity time.Duration // of a bucket; 0: there is no throttling
	interval time.Duration // in which one token is filled in
	now      func() time.Time
	seed     maphash.Seed

	mu        sync.Mutex
	buckets   map[uint64]*bucket // by the hash of the key; a missing bucket is full
	concluded chan struct{}      // closed when an attempt was concluded
}

type bucket struct {
	missing time.Duration
	at      time.Time // when so much was missing
	pending int       // attempts that took a token and are not concluded
}

// maxBuckets bounds the memory of a throttle. Past it, a new key pushes out one
// at random.
const maxBuckets = 100_000

func newThrottle(capacity int, interval time.Duration, now func() time.Time) *throttle {
	t := &throttle{
		interval: interval, now: now, seed: maphash.MakeSeed(),
		buckets: make(map[uint64]*bucket), concluded: make(chan struct{}),
	}
	if capacity > 0 && interval > 0 {
		t.capacity = interval * min(time.Duration(capacity), math.MaxInt64/2/interval)
	}
	return t
}

// throttleKey is what failures are counted for.
type throttleKey struct {
	name string
	// A failure costs 1/parts of a token; 0 stands for 1. An address, which many
	// users may share, has more failures than one of them.
	parts time.Duration
}

// cost of one failure, in the time that it takes to fill in.
func (t *throttle) cost(k throttleKey) time.Duration { return t.interval / max(k.parts, 1) }

// attempt takes the cost of a failure from each key. It does so before the outcome
// is known, so that concurrent attempts all count; conclude gives the cost back
// unless the attempt failed. While a key has none left because of attempts that
// may yet succeed, attempt waits for them. The error is a ThrottledError if a key
// has none left because of failures, or that of ctx.
func (t *throttle) attempt(ctx context.Context, keys ...throttleKey) (conclude func(failed bool), err error) {
	if t.capacity == 0 {
		return func(bool) {}, nil
	}
	for {
		wait, concluded := t.take(keys)
		switch {
		case concluded != nil:
			select {
			case <-concluded:
				continue
			case <-ctx.Done():
				return nil, fmt.Errorf("waiting to log in: %w", ctx.Err())
			}
		case wait > 0:
			return nil, ThrottledError{wait}
		}
		return func(failed bool) { t.conclude(keys, failed) }, nil
	}
}

func (t *throttle) hash(k throttleKey) uint64 { return maphash.String(t.seed, k.name) }

// take takes from each key, or from none and tells how long to wait: until
// an attempt is concluded, or for a time.
func (t *throttle) take(keys []throttleKey) (wait time.Duration, concluded <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range keys {
		b := t.bucket(t.hash(k))
		switch short := b.missing + t.cost(k) - t.capacity; {
		case short <= 0:
		case b.pending > 0:
			concluded = t.concluded
		default:
			wait = max(wait, short)
		}
	}
	if wait > 0 {
		return wait, nil
	}
	if concluded == nil {
		for _, k := range keys {
			b := t.bucket(t.hash(k))
			b.missing += t.cost(k)
			b.pending++
			t.put(t.hash(k), b)
		}
	}
	return 0, concluded
}

func (t *throttle) conclude(keys []throttleKey, failed bool) {
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
	close(t.concluded)
	t.concluded = make(chan struct{})
}

// bucket returns the bucket of a key as it is now.
func (t *throttle) bucket(hash uint64) *bucket {
	now := t.now()
	b, ok := t.buckets[hash]
	if !ok {
		return &bucket{at: now}
	}
	// A clock that was set back fills nothing in, and goes on from where it is.
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
