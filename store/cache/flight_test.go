package cache_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/cache"
	"github.com/onezone-go/onezone/store/memory"
)

func TestConcurrentLookUpsOfAKeyAreShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t)
		c, _ := open(t, plain{b}, cache.Options{})
		stopped := b.stop()
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				key, err := c.NamedKey(t.Context(), "a")
				assert.NoError(t, err)
				assert.Equal(t, "secret of a", key.Secret.Reveal())
			})
			all.Go(func() {
				key, err := c.TemporaryKey(t.Context(), alice)
				assert.NoError(t, err)
				assert.Equal(t, "temporary", key.Secret.Reveal())
			})
			all.Go(func() {
				_, err := c.NamedKey(t.Context(), "unknown")
				assert.ErrorIs(t, err, errors.IDNotFound)
			})
		}
		synctest.Wait()
		require.Len(t, stopped, 3)
		for range 3 {
			(<-stopped).goOn()
		}
		all.Wait()
		require.Equal(t, cache.Stats{Misses: 150, Loads: 3, Entries: 2, Negative: 1}, c.Stats())
	})
}

func TestCanceledCallersDoNotCancelOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t)
		c, _ := open(t, plain{b}, cache.Options{})
		stopped := b.stop()
		leader, giveUp := context.WithCancel(t.Context())
		led := goNamedKey(leader, c)
		slow := <-stopped
		followed := goNamedKey(t.Context(), c)
		hasty, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		gaveUp := goNamedKey(hasty, c)
		synctest.Wait()

		giveUp()
		requireEnvironment(t, (<-led).err, context.Canceled)
		requireEnvironment(t, (<-gaveUp).err, context.DeadlineExceeded)
		b.run()
		slow.goOn()
		require.NoError(t, (<-followed).err)
		namedKey(t, c)
		require.EqualValues(t, 1, b.lookUps.Load(), "the shared answer is cached")
	})
}

func TestALookUpKeepsTheValuesOfItsContext(t *testing.T) {
	t.Parallel()
	type name struct{}
	b := &traced{backend: newBackend(t), name: name{}}
	c, _ := open(t, plain{b}, cache.Options{})
	_, err := c.NamedKey(context.WithValue(t.Context(), name{}, "span"), "a")
	require.NoError(t, err)
	require.Equal(t, "span", b.seen)
}

func TestLookUpsAfterCloseAreNotShared(t *testing.T) {
	t.Parallel()
	type name struct{}
	b := &traced{backend: newBackend(t), name: name{}}
	c, err := cache.New(plain{b}, cache.Options{})
	require.NoError(t, err)
	namedKey(t, c)
	require.True(t, b.bounded)
	require.NoError(t, c.Close())
	namedKey(t, c)
	require.False(t, b.bounded, "the look-up was shared")
}

// traced records the context of the last look-up.
type traced struct {
	*backend
	name, seen any
	bounded    bool
}

func (s *traced) NamedKey(ctx context.Context, id string) (store.Key, error) {
	s.seen = ctx.Value(s.name)
	_, s.bounded = ctx.Deadline()
	return s.backend.NamedKey(ctx, id)
}

func TestLookUpsTimeOutIfTheBackendHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t)
		c, _ := open(t, plain{b}, cache.Options{})
		b.stop()
		start := time.Now()
		_, err := c.NamedKey(t.Context(), "a")
		require.ErrorContains(t, err, "did not answer within 10s")
		require.NotErrorIs(t, err, context.DeadlineExceeded, "the caller has no deadline")
		_, catalogued := errors.AsType[*errors.Error](err)
		require.False(t, catalogued, "%v", err)
		require.Equal(t, 10*time.Second, time.Since(start))
		b.run()
		namedKey(t, c)
	})
}

func TestOperationalErrorsAreNotCached(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	c, _ := open(t, plain{b}, cache.Options{ShortTTL: time.Hour})
	b.fails.Store(true)
	for range 3 {
		_, err := c.NamedKey(t.Context(), "a")
		requireEnvironment(t, err, errDown)
		_, err = c.TemporaryKey(t.Context(), alice)
		requireEnvironment(t, err, errDown)
	}
	require.EqualValues(t, 6, b.lookUps.Load())
	require.Equal(t, cache.Stats{Misses: 6, Loads: 6, LoadErrors: 6}, c.Stats())

	b.fails.Store(false)
	namedKey(t, c)
	temporaryKey(t, c)
	b.fails.Store(true)
	namedKey(t, c)
	temporaryKey(t, c)
}

func TestADoneContextStopsAHit(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	c, _ := open(t, plain{b}, cache.Options{})
	namedKey(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.NamedKey(ctx, "a")
	requireEnvironment(t, err, context.Canceled)
}

func TestCloseEndsEverythingExceptTheBackend(t *testing.T) {
	t.Parallel()
	// The test bubble fails if a goroutine is still running at its end.
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t)
		c, err := cache.New(b, cache.Options{ShortTTL: time.Hour, TTL: time.Hour, LoadTimeout: time.Hour})
		require.NoError(t, err)
		b.feed <- store.Change{Kind: store.FeedUp}
		temporaryKey(t, c)
		stopped := b.stop()
		waits := goNamedKey(t.Context(), c)
		<-stopped // and is never resumed
		b.run()
		start := time.Now()
		require.NoError(t, c.Close())
		require.Zero(t, time.Since(start), "Close waited for a look-up instead of canceling it")
		require.NoError(t, (<-waits).err, "Close must not fail calls in flight")
		require.False(t, c.Stats().FeedUp)

		revoke(t, b)
		before := b.lookUps.Load()
		require.True(t, namedKey(t, c).Revoked, "a closed cache does not use its answers")
		namedKey(t, c)
		require.Equal(t, before+2, b.lookUps.Load())
		revoke(t, c)
		require.NoError(t, c.Close())
	})
}

func TestCloseDoesNotWaitForAFeed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		backend := memory.New()
		require.NoError(t, backend.Close())
		c, err := cache.New(backend, cache.Options{})
		require.NoError(t, err)
		synctest.Wait() // the feed failed and waits for its restart
		start := time.Now()
		require.NoError(t, c.Close())
		require.Zero(t, time.Since(start))
	})
}

// TestReadersAlwaysSeeTheirWrites runs writers of two replicas: each sees its
// own write or a newer one.
func TestReadersAlwaysSeeTheirWrites(t *testing.T) {
	t.Parallel()
	const rounds = 300
	shared := memory.New()
	fill(t, shared)
	var all sync.WaitGroup
	for range 2 {
		c, _ := open(t, shared, cache.Options{TTL: time.Hour, ShortTTL: time.Hour})
		for range 4 {
			all.Go(func() {
				for range rounds {
					generation, err := c.RotateTemporaryKey(t.Context(), alice, store.NewSecret("x"))
					if !assert.NoError(t, err) {
						return
					}
					for range 3 {
						key, err := c.TemporaryKey(t.Context(), alice)
						if !assert.NoError(t, err) || !assert.GreaterOrEqual(t, key.Generation, generation) {
							return
						}
					}
				}
			})
		}
	}
	all.Wait()
}

func TestLateCallersDoNotGetAnOldSharedAnswer(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	c, clock := open(t, plain{b}, cache.Options{LoadTimeout: time.Minute})
	stopped := b.stop()
	first := goNamedKey(t.Context(), c)
	slow := <-stopped // it has read the backend
	require.NoError(t, b.Store.UpdateToken(t.Context(), "a", func(token *store.Token) error {
		token.Revoked = true
		return nil
	}))
	clock.move(3 * time.Second) // more than an answer may be old
	b.run()
	second := goNamedKey(t.Context(), c)
	require.Eventually(t, func() bool { return c.Stats().Misses == 2 }, 10*time.Second, time.Millisecond)
	slow.goOn()
	require.False(t, (<-first).key.Revoked)
	late := <-second
	require.NoError(t, late.err)
	require.True(t, late.key.Revoked)
}
