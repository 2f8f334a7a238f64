package cache

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	// A bounded concurrent map that is read without a lock and keeps what is
	// asked for often, not just lately; maintained, and without dependencies.
	"github.com/maypok86/otter/v2"
	"github.com/maypok86/otter/v2/stats"

	// Joins concurrent look-ups of a key; of the Go project.
	"golang.org/x/sync/singleflight"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// Store is a store with a cache in front of it.
//
// Close ends the feed and the look-ups under way, waits for them, and leaves the
// backend open. From then on every call goes to the backend.
type Store interface {
	store.Store

	// Stats tells what the cache has done so far.
	Stats() Stats
}

// Options bound the cache. Zero fields stand for the defaults.
type Options struct {
	MaxEntries  int              // keys that are kept; default 100,000
	MaxNegative int              // unknown keys that are remembered; default 10,000
	TTL         time.Duration    // how old an answer can be while the feed stands; default 1 minute
	ShortTTL    time.Duration    // how old it can be while no feed stands, TTL at most; default 2 seconds
	NegativeTTL time.Duration    // how long an unknown key is taken to be so; default 1 second
	LoadTimeout time.Duration    // how long a look-up in the backend may take; default 10 seconds
	Clock       func() time.Time // default: time.Now
}

// withDefaults fills in the fields that are zero.
func (o Options) withDefaults() Options {
	o.MaxEntries = cmp.Or(o.MaxEntries, 100_000)
	o.MaxNegative = cmp.Or(o.MaxNegative, 10_000)
	o.TTL = cmp.Or(o.TTL, time.Minute)
	o.ShortTTL = min(cmp.Or(o.ShortTTL, 2*time.Second), o.TTL)
	o.NegativeTTL = cmp.Or(o.NegativeTTL, time.Second)
	o.LoadTimeout = cmp.Or(o.LoadTimeout, 10*time.Second)
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return o
}

func (o Options) validate() error {
	for _, option := range []struct {
		name  string
		value int64
	}{
		{"maxEntries", int64(o.MaxEntries)},
		{"maxNegative", int64(o.MaxNegative)},
		{"ttl", int64(o.TTL)},
		{"shortTtl", int64(o.ShortTTL)},
		{"negativeTtl", int64(o.NegativeTTL)},
		{"loadTimeout", int64(o.LoadTimeout)},
	} {
		if option.value < 0 {
			return errors.BadValueTooLow(option.name, 0)
		}
	}
	return nil
}

// New returns a cache in front of the backend, which stays the caller's to
// close, after the cache. Its feed is followed until Close. Errors: badData {key "backend"} for nil, badValueTooLow for an
// option that is negative.
func New(backend store.Store, o Options) (Store, error) {
	if backend == nil {
		return nil, errors.BadDataHint("backend", "a cache needs a store behind it")
	}
	if err := o.validate(); err != nil {
		return nil, err
	}
	c, err := newCached(backend, o.withDefaults())
	if err != nil {
		return nil, err
	}
	c.running.Go(c.follow)
	return c, nil
}

// cached is a Store.
type cached struct {
	store.Lists // of the backend

	backend store.Store
	options Options
	start   time.Time // of the clock

	known    *otter.Cache[key, *entry]
	unknown  *otter.Cache[key, *entry]
	versions versions
	ttl      atomic.Int64 // in force now, in nanoseconds
	flights  singleflight.Group

	lookUps    *stats.Counter
	loads      atomic.Uint64
	loadErrors atomic.Uint64
	feedStands atomic.Bool

	swept        atomic.Int64 // when the last sweep began, by the clock, in nanoseconds since start
	sweepPlanned atomic.Bool  // the timer runs
	sweeper      *time.Timer

	life    context.Context // done when the cache is closed
	end     context.CancelFunc
	mu      sync.Mutex // of adding to running
	running sync.WaitGroup
}

func newCached(backend store.Store, o Options) (*cached, error) {
	c := &cached{Lists: backend, backend: backend, options: o, start: o.Clock(), lookUps: stats.NewCounter()}
	c.versions.init()
	c.ttl.Store(int64(o.ShortTTL))
	var err error
	if c.known, err = otter.New(&otter.Options[key, *entry]{MaximumSize: o.MaxEntries}); err != nil {
		return nil, fmt.Errorf("set up the cache: %w", err)
	}
	if c.unknown, err = otter.New(&otter.Options[key, *entry]{MaximumSize: o.MaxNegative}); err != nil {
		return nil, fmt.Errorf("set up the cache of unknown keys: %w", err)
	}
	c.life, c.end = context.WithCancel(context.Background())
	c.sweeper = time.AfterFunc(time.Hour, c.sweepIdle)
	c.sweeper.Stop() // until there is something to sweep
	return c, nil
}

// Close implements [store.Store].
func (c *cached) Close() error {
	c.mu.Lock()
	c.end()
	c.mu.Unlock()
	c.running.Wait() // from here on nothing is kept
	c.sweeper.Stop()
	c.flush()
	return nil
}

// now is the time since the cache was made.
func (c *cached) now() time.Duration { return c.options.Clock().Sub(c.start) }

// Stats are counted from the start of the cache.
type Stats struct {
	Hits       uint64 // look-ups answered from memory
	Misses     uint64 // all others
	Loads      uint64 // look-ups in the backend; fewer than misses where look-ups were joined
	LoadErrors uint64 // of these, faults of the environment
	Flushes    uint64 // times that everything was dropped
	Entries    int    // keys in memory now, about
	Negative   int    // unknown keys in memory now, about
	FeedStands bool   // the feed of the backend stands now
}

// Stats implements [Store].
func (c *cached) Stats() Stats {
	counted := c.lookUps.Snapshot()
	return Stats{
		Hits:       counted.Hits,
		Misses:     counted.Misses,
		Loads:      c.loads.Load(),
		LoadErrors: c.loadErrors.Load(),
		Flushes:    c.versions.flushes.Load(),
		Entries:    c.known.EstimatedSize(),
		Negative:   c.unknown.EstimatedSize(),
		FeedStands: c.feedStands.Load(),
	}
}
