package redis

import (
	"cmp"
	"context"
	"fmt"
	"net"
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
	defaultPrefix      = "onezone:"
	defaultWaitTimeout = time.Second
)

const (
	// connectTimeout is the default timeout for a connection to each server.
	connectTimeout = 2 * time.Second
	// answerTimeout is how long a connection may be silent, by default, after a
	// command.
	answerTimeout = 3 * time.Second
	// sentinelInterval is the interval at which a Sentinel is asked for the
	// master, in case its message about a new one is missed.
	sentinelInterval = 5 * time.Second
	// idleTimeout is how long the connections on which calls waited for
	// replicas stay open.
	idleTimeout = time.Minute
	// connections is the binary logarithm of the number of connections to a
	// server that calls share. The feed has one more.
	connections = 1
)

// Options configures a [Store]. The zero value uses the defaults.
type Options struct {
	// Prefix is the prefix of every key and channel, so that several stores can
	// share a server. It must not contain braces. "": "onezone:".
	Prefix string

	// WaitReplicas is the number of replicas that must receive a write before
	// it is acknowledged. 0: none.
	WaitReplicas int

	// AllowEviction accepts servers that may evict keys, or that do not report
	// it. Such a server has a maxmemory limit and a maxmemory-policy other than
	// noeviction. It loses tokens and revocations: a revoked token may be valid
	// again. Without this option, [Open] and [Store.Migrate] reject these
	// servers.
	AllowEviction bool

	// WaitTimeout is the timeout of the wait for WaitReplicas, in whole
	// milliseconds and at least one. 0: one second.
	WaitTimeout time.Duration

	// CallTimeout is the longest time of a call that does not move many
	// records. A call that takes longer returns an operational error that does
	// not wrap [context.DeadlineExceeded]. 0: no limit.
	CallTimeout time.Duration
}

// contract implements the other methods of a Store.
type contract = backend.Contract

// driver implements the store behind [backend.Contract].
type driver struct{ *Store }

// Store is a [store.Store] on Redis. Use [New] or [Open] to create one.
type Store struct {
	contract
	client rueidis.Client
	owned  bool // Close closes the client
	o      Options

	migrated   atomic.Bool
	noEviction atomic.Bool // no server evicts keys

	release sync.Once
	life    backend.Life
}

var _ store.Store = (*Store)(nil)

// New returns a store over the client, which the caller closes. It does not
// connect: call [Store.Migrate] before any other method. The client must read
// from masters: do not set SendToReplicas or ReplicaOnly.
func New(client rueidis.Client, o Options) *Store {
	if o.Prefix == "" {
		o.Prefix = defaultPrefix
	}
	if o.WaitTimeout <= 0 {
		o.WaitTimeout = defaultWaitTimeout
	}
	// Redis counts milliseconds, and 0 would mean to wait forever.
	o.WaitTimeout = max(o.WaitTimeout, time.Millisecond)
	s := &Store{client: client, o: o, life: backend.NewLife()}
	s.contract = backend.NewContract(driver{s}, o.CallTimeout)
	return s
}

// Open connects to the server at the URL and returns a store that owns its
// connections. Call [Store.Migrate] before the first use of a new server.
//
// The URL must be one that [rueidis.ParseURL] accepts:
// redis://USER:PASSWORD@HOST:PORT/DB, or rediss:// with TLS. &addr=HOST:PORT
// adds nodes of a Cluster or more Sentinels, and ?master_set=NAME selects
// Sentinel. A server that does not accept a connection within 2 seconds
// (dial_timeout), or does not answer within 3 (write_timeout), counts as down.
//
// Errors:
//   - badData {key "url"}: the URL is invalid
//   - badData {key "prefix"}: the prefix contains braces
//   - [store.ErrSchema]: a newer release wrote the keys
//   - operational errors: the server does not answer, or may evict keys and
//     [Options].AllowEviction is not set
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
	setDefaults(&option)
	option.DisableCache = true // its client-side caching, which this package does not use
	client, err := await(ctx, func() (rueidis.Client, error) { return rueidis.NewClient(option) }, rueidis.Client.Close)
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

// setDefaults sets the defaults of timeouts and connections. With those of
// rueidis, calls hang for 10 seconds and more after a failover, a client whose
// Sentinel was cut off never learns of the new master, and idle connections stay
// open.
func setDefaults(o *rueidis.ClientOption) {
	o.Dialer.Timeout = cmp.Or(o.Dialer.Timeout, connectTimeout)
	o.ConnWriteTimeout = cmp.Or(o.ConnWriteTimeout, answerTimeout)
	o.Sentinel.Dialer = net.Dialer{Timeout: o.Dialer.Timeout, KeepAlive: rueidis.DefaultTCPKeepAlive}
	o.Sentinel.TopologyRefreshInterval = sentinelInterval
	o.BlockingPoolCleanup = idleTimeout
	o.PipelineMultiplex = connections
}

// await returns the result of get, or the error of ctx if that is done first:
// rueidis does not use a context to connect. A later result is dropped.
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

// Close makes all later calls return [store.ErrClosed] and ends calls of
// [Store.Watch]. It closes the connections that [Open] created, but not a
// client that was passed to [New]. It always succeeds, also when called twice.
func (s *Store) Close() error {
	s.release.Do(func() {
		s.life.End()
		if s.owned {
			s.client.Close()
		}
	})
	return nil
}

func (s driver) Ready() error {
	if !s.migrated.Load() && s.life.Ready() == nil {
		return fmt.Errorf("%w: Migrate was not called", store.ErrSchema)
	}
	return s.life.Ready()
}

// isCluster reports whether keys are spread over servers, so that a script can
// access only the keys of one shard.
func (s *Store) isCluster() bool { return s.client.Mode() == rueidis.ClientModeCluster }
