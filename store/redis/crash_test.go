package redis_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/redistest"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/redis"
)

// acknowledged contains the writes that were acknowledged.
type acknowledged struct {
	mu     sync.Mutex
	tokens []string
	uses   map[string]int64 // by token, what its count is at least
	failed int
}

func (a *acknowledged) count() (acks, failures int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.tokens), a.failed
}

// mint creates tokens and counts uses of them until ctx is done. An error that
// is not operational ends it at once.
func (a *acknowledged) mint(ctx context.Context, s *redis.Store, writer string) error {
	for i := 0; ctx.Err() == nil; i++ {
		id := fmt.Sprint(writer, " ", i)
		attempt, cancel := context.WithTimeout(ctx, 2*time.Second)
		err := second(s.CreateToken(attempt, newToken(id), 0))
		if err == nil {
			err = s.UpdateToken(attempt, id, func(t *store.Token) error { t.UsageCount++; return nil })
			used := err == nil
			a.mu.Lock()
			a.tokens = append(a.tokens, id)
			if used {
				a.uses[id] = 1
			}
			a.mu.Unlock()
		}
		cancel()
		if e, ok := errors.AsType[*errors.Error](err); ok {
			return fmt.Errorf("an operational error was reported as %w", e)
		}
		if err != nil {
			a.mu.Lock()
			a.failed++
			a.mu.Unlock()
		}
	}
	return nil
}

func TestKilledServerLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	server := redistest.New(t, "--appendonly", "yes", "--appendfsync", "always")
	client := newClient(t, rueidis.ClientOption{InitAddress: []string{server.Addr}})
	s := newStore(t, client, redis.Options{})
	changes := watch(t, s)

	a := &acknowledged{uses: make(map[string]int64)}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 4)
	for i := range cap(ended) {
		go func() { ended <- a.mint(ctx, s, fmt.Sprint("writer ", i)) }()
	}
	for range 3 {
		before, _ := a.count()
		eventually(t, func() bool { now, _ := a.count(); return now > before+100 }, "the writers continue")
		_, failures := a.count()
		server.Kill()
		awaitKind(t, changes, store.FeedDown)
		eventually(t, func() bool { _, now := a.count(); return now > failures }, "the writers notice")
		for _, c := range calls(s) {
			attempt, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			requireOperational(t, c.do(attempt), c.name)
			cancel()
		}
		require.NoError(t, server.Restart())
		awaitKind(t, changes, store.FeedUp)
	}
	stop()
	for range cap(ended) {
		require.NoError(t, await(t, ended, "the writers end"))
	}
	for _, id := range a.tokens {
		token, err := s.GetToken(t.Context(), id)
		require.NoError(t, err, "the token %q was acknowledged", id)
		require.GreaterOrEqual(t, token.UsageCount, a.uses[id], "a use of the token %q was acknowledged", id)
	}
	requireSound(t, s)
}

func TestUnreachableServerIsNotAMissingRecord(t *testing.T) {
	t.Parallel()
	proxy := newProxy(t)
	s := newStore(t, newProxyClient(t, proxy), redis.Options{})
	fill(t, s)
	proxy.Hold()
	for _, c := range calls(s) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		err := c.do(ctx)
		cancel()
		requireOperational(t, err, c.name)
		require.ErrorIs(t, err, context.DeadlineExceeded, c.name)
	}
	proxy.Release()
	eventually(t, func() bool { return s.Migrate(t.Context()) == nil }, "the server answers again")
	requireSound(t, s)
}

func TestCallsAreCanceledInFlight(t *testing.T) {
	t.Parallel()
	proxy := newProxy(t)
	for i, name := range names(calls(nil)) {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, newProxyClient(t, proxy), redis.Options{Prefix: redistest.Prefix()})
			fill(t, s)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			sent := proxy.Received.Load()
			proxy.Hold()
			defer proxy.Release()
			ended := make(chan error, 1)
			go func() { ended <- calls(s)[i].do(ctx) }()
			eventually(t, func() bool { return proxy.Received.Load() > sent }, "the call is in flight")
			cancel()
			err := await(t, ended, "the call ends")
			requireOperational(t, err)
			require.ErrorIs(t, err, context.Canceled)
			proxy.Release()
			requireSound(t, s)
		})
	}
}

func names(calls []call) (names []string) {
	for _, c := range calls {
		names = append(names, c.name)
	}
	return names
}

// The connection breaks after the server has executed the call and before it
// answers.
func TestConnectionCutDuringACall(t *testing.T) {
	t.Parallel()
	proxy := newProxy(t)
	for i, name := range names(calls(nil)) {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, newProxyClient(t, proxy), redis.Options{Prefix: redistest.Prefix()})
			fill(t, s)
			c := calls(s)[i]
			if c.writes {
				proxy.CutAtAnswer("EVALSHA\r\n") // and not EVALSHA_RO, which reads
				requireOperational(t, c.do(t.Context()))
			} else {
				proxy.CutAtAnswer("test-") // which is in every key
				require.NoError(t, c.do(t.Context()), "a read was not retried")
			}
			requireSound(t, s)
			err := c.do(t.Context()) // again, though it was done
			if _, ok := errors.AsType[*errors.Error](err); !ok {
				require.NoError(t, err)
			}
			requireSound(t, s)
		})
	}
}
