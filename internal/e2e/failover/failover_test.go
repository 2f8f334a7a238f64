//go:build e2e

package failover_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/internal/testing/pgtest"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/postgres"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

const (
	// callTimeout is the deadline of each call, as in the service.
	callTimeout = 5 * time.Second
	// maxOutage is the maximum time from the promotion until calls succeed.
	maxOutage = 5 * time.Second
	// slack is the tolerance for deadlines on a busy machine.
	slack = time.Second
	// patience is the timeout for expected events.
	patience = 2 * time.Minute
)

// open opens a store that is ready to use.
func open(t *testing.T, url string) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), url, postgres.Options{})
	require.NoError(t, err)
	require.NoError(t, s.Migrate(t.Context()))
	return s
}

func newToken(id string) store.Token {
	return store.Token{
		ID: id, Name: id, Version: 2, Subject: caveat.User("alice"), Type: "act", Secret: store.NewSecret("secret"),
	}
}

// clients call a store continuously and measure the duration of calls.
type clients struct {
	store   *postgres.Store
	stop    context.CancelFunc
	all     sync.WaitGroup
	ids     atomic.Int64
	created atomic.Int64 // tokens
	longest atomic.Int64 // call, in nanoseconds
}

// begin starts the given number of writers and of readers.
func begin(s *postgres.Store, each int) *clients {
	ctx, cancel := context.WithCancel(context.Background())
	c := &clients{store: s, stop: cancel}
	for range each {
		c.all.Go(func() {
			for ctx.Err() == nil {
				if c.call(func(ctx context.Context) error {
					return second(s.CreateToken(ctx, newToken(fmt.Sprint("token ", c.ids.Add(1))), 0))
				}) == nil {
					c.created.Add(1)
				}
			}
		})
		c.all.Go(func() {
			for ctx.Err() == nil {
				_ = c.call(func(ctx context.Context) error {
					_, err := s.NamedKey(ctx, "first")
					return err
				})
			}
		})
	}
	return c
}

// call makes one call with a deadline of its own.
func (c *clients) call(do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	start := time.Now()
	err := do(ctx)
	took := int64(time.Since(start))
	for {
		longest := c.longest.Load()
		if took <= longest || c.longest.CompareAndSwap(longest, took) {
			break
		}
	}
	if err != nil {
		<-time.After(5 * time.Millisecond) // it may have failed at once
	}
	return err
}

// eventually waits until the condition holds, and returns how long that took.
func eventually(t *testing.T, holds func() bool, what string) time.Duration {
	t.Helper()
	start := time.Now()
	for !holds() {
		if time.Since(start) > patience {
			require.FailNow(t, "gave up waiting: "+what)
		}
		<-time.After(2 * time.Millisecond)
	}
	return time.Since(start)
}

// watch follows the feed of the store until the test ends.
func watch(t *testing.T, s *postgres.Store) (isUp func() bool, tokens func() int64) {
	t.Helper()
	var up atomic.Bool
	var changed atomic.Int64
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- s.Watch(ctx, func(c store.Change) {
			switch c.Kind {
			case store.FeedUp:
				up.Store(true)
			case store.FeedDown:
				up.Store(false)
			case store.TokenChanged:
				changed.Add(1)
			}
		})
	}()
	t.Cleanup(func() {
		cancel()
		assert.Error(t, <-ended)
	})
	eventually(t, up.Load, "the feed is up")
	return up.Load, changed.Load
}

// TestAPrimaryThatHangsIsReplaced freezes the primary under load and promotes
// its standby.
func TestAPrimaryThatHangsIsReplaced(t *testing.T) {
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	primary := pgtest.Own(t, "fsync=off")
	standby := primary.Standby(t)
	s := open(t, pgtest.Hosts(t, primary, standby))
	require.NoError(t, second(s.CreateToken(t.Context(), newToken("first"), 0)))
	isUp, changes := watch(t, s)
	c := begin(s, 4)
	eventually(t, func() bool { return c.created.Load() > 20 }, "writes succeed")

	require.NoError(t, primary.Freeze())
	t.Cleanup(func() { assert.NoError(t, primary.Thaw()) })
	require.NoError(t, standby.Promote())
	promoted := time.Now()

	var writes, feed time.Duration
	var waiting sync.WaitGroup
	waiting.Go(func() {
		before := c.created.Load()
		eventually(t, func() bool { return c.created.Load() > before }, "writes succeed again")
		writes = time.Since(promoted)
	})
	waiting.Go(func() {
		eventually(t, func() bool { return !isUp() }, "the feed is down")
		eventually(t, isUp, "the feed is up again")
		before := changes()
		eventually(t, func() bool { return changes() > before }, "the feed tells of changes again")
		feed = time.Since(promoted)
	})
	waiting.Wait()
	c.stop()
	c.all.Wait()
	start := time.Now()
	require.NoError(t, s.Close())
	closed := time.Since(start)
	longest := time.Duration(c.longest.Load())
	t.Logf("after the promotion: writes after %v, the feed after %v; the longest call took %v; closing took %v",
		writes, feed, longest, closed)
	assert.Less(t, writes, maxOutage)
	assert.Less(t, feed, maxOutage)
	assert.Less(t, longest, callTimeout+slack, "a call outlasts its deadline")
	assert.Less(t, closed, 2*callTimeout)
}

// second returns the error of a call with two results.
func second[T any](_ T, err error) error { return err }
