package cache

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	// A bounded concurrent map with lock-free reads that keeps frequently used
	// keys, not just recent ones; maintained, and without dependencies.
	"github.com/maypok86/otter/v2"
	"github.com/maypok86/otter/v2/stats"

	// Shares concurrent look-ups of a key; maintained by the Go project.
	"golang.org/x/sync/singleflight"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// Store is a store with a cache in front of it.
//
// Close ends the feed and the look-ups in flight, waits for them, and does not
// close the backend. Later calls go to the backend.
type Store interface {
	store.Store

	// Stats returns the counters of the cache.
	Stats() Stats
}

// Options configures the cache. Zero fields mean the defaults.
type Options struct {
	MaxEntries  int              // maximum number of cached keys; default 100,000
	MaxNegative int              // maximum number of cached unknown keys; default 10,000
	TTL         time.Duration    // maximum age of an answer while the feed is connected; default 1 minute
	ShortTTL    time.Duration    // maximum age while it is disconnected, at most TTL; default 2 seconds
	NegativeTTL time.Duration    // maximum age of the answer that a key is unknown; default 1 second
	LoadTimeout time.Duration    // timeout of a look-up in the backend; default 10 seconds
	Clock       func() time.Time // default: time.Now
}

// withDefaults sets the zero fields to their defaults.
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

// New returns a cache in front of the backend and follows its feed until Close.
// The caller closes the backend, after the cache. Errors: badData {key
// "backend"} if backend is nil; badValueTooLow for a negative option.
func New(backend store.Store, o Options) (Store, error) {
	if backend == nil {
		return nil, errors.BadDataHint("backend", "backend must not be nil")
	}
	if err := o.validate(); err != nil {
		return nil, err
	}
	c, err := newCached(backend, o.withDefaults())
	if err != nil {
		return nil, err
	}
	c.running.Go(c.runFeed)
	return c, nil
}

// passedOn are the methods of the backend that the cache does not change. It
// embeds no whole Store, so that the compiler reports a new method, which may
// write.
type passedOn interface {
	store.Lists
	store.Uses
	GetToken(ctx context.Context, id string) (store.Token, error)
	GetIdentity(ctx context.Context, subject caveat.Subject) (store.Identity, error)
	GetIdentityByUsername(ctx context.Context, username string) (store.Identity, error)
	Export(ctx context.Context, kind store.RecordKind, after string, limit int) ([]store.Record, string, error)
	Scrub(ctx context.Context) error
}

// cached implements Store.
type cached struct {
	passedOn

	backend store.Store
	options Options
	start   time.Time // of the clock

	known    *otter.Cache[key, *entry]
	unknown  *otter.Cache[key, *entry]
	versions versions
	ttl      atomic.Int64 // current, in nanoseconds
	flights  singleflight.Group

	lookUps    *stats.Counter
	loads      atomic.Uint64
	loadErrors atomic.Uint64
	feedUp     atomic.Bool

	swept        atomic.Int64 // start of the last sweep, in nanoseconds of the clock since start
	sweepPlanned atomic.Bool  // the timer is set
	sweeper      *time.Timer

	life    context.Context // done when the cache is closed
	end     context.CancelFunc
	mu      sync.Mutex // held while adding to running
	running sync.WaitGroup
}

func newCached(backend store.Store, o Options) (*cached, error) {
	c := &cached{passedOn: backend, backend: backend, options: o, start: o.Clock(), lookUps: stats.NewCounter()}
	c.versions.seed = maphash.MakeSeed()
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

func (c *cached) Close() error {
	c.mu.Lock()
	c.end()
	c.mu.Unlock()
	c.running.Wait() // no answer is cached after this
	c.sweeper.Stop()
	c.flush()
	return nil
}

// now returns the time since the cache was created.
func (c *cached) now() time.Duration { return c.options.Clock().Sub(c.start) }

// Stats are counters since the creation of the cache, and its current size.
type Stats struct {
	Hits       uint64 // look-ups answered from memory
	Misses     uint64 // all other look-ups
	Loads      uint64 // look-ups in the backend; fewer than misses, because concurrent ones are shared
	LoadErrors uint64 // of these, operational errors
	Flushes    uint64 // times that all answers were dropped
	Entries    int    // current number of cached keys, approximate
	Negative   int    // current number of cached unknown keys, approximate
	FeedUp     bool   // the feed of the backend is connected
}

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
		FeedUp:     c.feedUp.Load(),
	}
}
