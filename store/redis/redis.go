package redis

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	// rueidis: the Go client with automatic pipelining and sharded channels for
	// single nodes, Sentinel and Cluster alike.
	"github.com/redis/rueidis"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// Defaults of [Options].
const (
	DefaultPrefix      = "onezone:"
	DefaultWaitTimeout = time.Second
)

// Options is how a [Store] uses its server. The zero Options are the defaults.
type Options struct {
	// Prefix begins every key and channel of the store, so that several stores
	// can share a server. It holds no braces. "": DefaultPrefix.
	Prefix string

	// WaitReplicas is how many replicas have to have a write before it is
	// acknowledged. 0: none.
	WaitReplicas int

	// AllowEviction accepts servers that may evict keys when their memory is full
	// (maxmemory with another maxmemory-policy than noeviction), or that do not
	// tell. Such a server loses tokens, and revocations with them: a revoked token
	// may work again. Without it, [Open] and [Store.Migrate] refuse these servers.
	AllowEviction bool

	// WaitTimeout bounds the wait for WaitReplicas, in whole milliseconds and at
	// least one. 0: DefaultWaitTimeout.
	WaitTimeout time.Duration
}

// contract has the methods of a Store that it does not write out.
type contract = backend.Contract

// driver is a store under its contract.
type driver struct{ *Store }

// Store is a [store.Store] on Redis. Make one with [New] or [Open].
type Store struct {
	contract
	client rueidis.Client
	owned  bool // Close closes the client
	o      Options

	migrated atomic.Bool
	keepsAll atomic.Bool // no server evicts keys

	release sync.Once
	life    backend.Life
}

var _ store.Store = (*Store)(nil)

// New returns a store over the client, which stays the caller's to close. It does
// not connect: call [Store.Migrate] before anything else. The client must read
// from masters: no SendToReplicas, no ReplicaOnly.
func New(client rueidis.Client, o Options) *Store {
	if o.Prefix == "" {
		o.Prefix = DefaultPrefix
	}
	if o.WaitTimeout <= 0 {
		o.WaitTimeout = DefaultWaitTimeout
	}
	// Redis counts milliseconds, and takes none of them for waiting for ever.
	o.WaitTimeout = max(o.WaitTimeout, time.Millisecond)
	s := &Store{client: client, o: o, life: backend.NewLife()}
	s.contract = backend.NewContract(driver{s})
	return s
}

// Open connects to the server at the URL, and returns a store that closes its
// connections when it is closed. The URL is one that [rueidis.ParseURL] reads:
// redis://USER:PASSWORD@HOST:PORT/DB, rediss:// with TLS, &addr=HOST:PORT for
// further nodes of a Cluster or further Sentinels, and ?master_set=NAME for
// Sentinel. A new server is ready for use after [Store.Migrate].
//
// badData {key "url"}: it is another URL. badData {key "prefix"}: the prefix holds
// braces. [store.ErrSchema]: the keys were written by a newer version of this package.
// Other errors: the server does not answer, or may evict keys and
// [Options].AllowEviction is not set.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	const open = "open a Redis store"
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", open, err)
	}
	if err := o.validate(); err != nil {
		return nil, err
	}
	option, err := rueidis.ParseURL(url)
	if err != nil {
		// The error of the parser quotes the URL, which holds a password.
		return nil, errors.BadDataHint("url", "expected redis://USER:PASSWORD@HOST:PORT/DB or another URL that rueidis reads")
	}
	option.DisableCache = true // its client-side caching, which this package does not use
	client, err := connect(ctx, option)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", open, err)
	}
	s := New(client, o)
	s.owned = true
	err = s.checkEviction(ctx)
	if err == nil {
		err = s.checkSchema(ctx)
	}
	if err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("%s: %w", open, err)
	}
	return s, nil
}

// connect gives up when ctx is done. What it is doing then ends by itself, within
// the time that the options give it.
func connect(ctx context.Context, option rueidis.ClientOption) (rueidis.Client, error) {
	return await(ctx, func() (rueidis.Client, error) { return rueidis.NewClient(option) }, rueidis.Client.Close)
}

// await returns what get returns, or gives up when ctx is done, of which rueidis
// knows nothing while it connects. What comes too late is dropped.
func await[T any](ctx context.Context, get func() (T, error), drop func(T)) (got T, err error) {
	type result struct {
		value T
		err   error
	}
	results := make(chan result)
	go func() {
		value, err := get()
		select {
		case results <- result{value, err}:
		case <-ctx.Done():
			if err == nil {
				drop(value)
			}
		}
	}()
	select {
	case r := <-results:
		return r.value, r.err
	case <-ctx.Done():
		return got, ctx.Err()
	}
}

// Close makes all later calls fail with [store.ErrClosed] and ends those of
// [Store.Watch]. It closes the connections that [Open] made and leaves alone a
// client that was passed to [New]. It never fails, nor does closing twice.
func (s *Store) Close() error {
	s.release.Do(func() {
		s.life.End()
		if s.owned {
			s.client.Close()
		}
	})
	return nil
}

// Ready implements [backend.Readier].
func (s driver) Ready() error {
	if !s.migrated.Load() && s.life.Ready() == nil {
		return fmt.Errorf("%w: Migrate was not called", store.ErrSchema)
	}
	return s.life.Ready()
}

// isCluster reports whether keys are spread over servers, so that a script can
// touch those of one shard only.
func (s *Store) isCluster() bool { return s.client.Mode() == rueidis.ClientModeCluster }
