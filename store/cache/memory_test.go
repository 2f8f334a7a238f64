package cache_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/cache"
	"github.com/onezone-go/onezone/store/memory"
)

// heap returns the number of bytes in use.
func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what finalizers and pools held
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// TestChangedAnswersAreFreed checks own writes, changes in the feed, and
// look-ups that end after the change.
func TestChangedAnswersAreFreed(t *testing.T) {
	t.Parallel()
	for what, write := range map[string]func(t *testing.T, b *backend, c cache.Store){
		"deleted": func(t *testing.T, _ *backend, c cache.Store) { require.NoError(t, c.DeleteToken(t.Context(), "a")) },
		"changed": func(t *testing.T, _ *backend, c cache.Store) { revoke(t, c) },
		"reported by the feed": func(_ *testing.T, b *backend, _ cache.Store) {
			b.feed <- store.Change{Kind: store.TokenChanged, TokenID: "a"}
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBackend(t)
			c, _ := open(t, b, cache.Options{})
			namedKey(t, c)
			_, err := c.NamedKey(t.Context(), "unknown")
			require.ErrorIs(t, err, errors.IDNotFound)
			require.Equal(t, 1, c.Stats().Entries)
			write(t, b, c)
			synctest.Wait()
			require.Zero(t, c.Stats().Entries, what)
			require.Equal(t, 1, c.Stats().Negative)
			require.NoError(t, second(c.CreateToken(t.Context(), token("unknown"), 0)))
			require.Zero(t, c.Stats().Negative, what)
		})
		synctest.Test(t, func(t *testing.T) {
			b := newBackend(t)
			c, _ := open(t, b, cache.Options{})
			stopped := b.stop()
			late := goNamedKey(t.Context(), c)
			slow := <-stopped
			write(t, b, c)
			synctest.Wait()
			slow.goOn()
			<-late
			synctest.Wait()
			require.Zero(t, c.Stats().Entries, "%s: a look-up that ended late left an entry", what)
		})
	}
}

// TestExpiredAnswersAreFreed makes no further look-ups.
func TestExpiredAnswersAreFreed(t *testing.T) {
	t.Parallel()
	for what, feed := range map[string]bool{"with a feed": true, "without a feed": false} {
		synctest.Test(t, func(t *testing.T) {
			b := newBackend(t)
			for i := range 1000 {
				require.NoError(t, second(b.CreateToken(t.Context(), token(fmt.Sprint("token ", i)), 0)))
			}
			c, err := cache.New(b, cache.Options{})
			require.NoError(t, err)
			defer func() { require.NoError(t, c.Close()) }()
			if feed {
				b.feed <- store.Change{Kind: store.FeedUp}
				synctest.Wait()
			}
			for range 3 {
				for i := range 1000 {
					_, err := c.NamedKey(t.Context(), fmt.Sprint("token ", i))
					require.NoError(t, err)
					_, err = c.NamedKey(t.Context(), fmt.Sprint("unknown ", i))
					require.ErrorIs(t, err, errors.IDNotFound)
				}
				temporaryKey(t, c)
				require.Equal(t, 1001, c.Stats().Entries)
				require.Equal(t, 1000, c.Stats().Negative)
				<-time.After(2*time.Minute + time.Second)
				require.Zero(t, c.Stats().Entries, what)
				require.Zero(t, c.Stats().Negative, what)
			}
		})
	}
}

// TestAnswersOfABlockedSubjectAreFreed waits for a sweep, which alone evicts
// these entries.
func TestAnswersOfABlockedSubjectAreFreed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t)
		c, err := cache.New(b, cache.Options{TTL: time.Minute})
		require.NoError(t, err)
		defer func() { require.NoError(t, c.Close()) }()
		b.feed <- store.Change{Kind: store.FeedUp}
		synctest.Wait()
		namedKey(t, c)
		<-time.After(59 * time.Second)
		temporaryKey(t, c)
		block(t, c)
		<-time.After(2 * time.Second) // less than the age that the second may have
		synctest.Wait()
		require.Zero(t, c.Stats().Entries)
	})
}

// keysOnly is a database with a named token for every id, which returns a new
// key for each read.
type keysOnly struct{ store.Store }

func (keysOnly) NamedKey(_ context.Context, id string) (store.Key, error) {
	return store.Key{
		Secret:  store.NewSecret(fmt.Sprintf("%064d", len(id))),
		Subject: caveat.User(fmt.Sprintf("%032s", id)), Holder: store.HolderActive,
	}, nil
}

// Not parallel, because it measures the memory of the process. The package
// documentation states the figure. Tokens are verified, because secrets cache
// the start of the next verification.
func TestAFullCacheNeedsTheMemoryThatIsDocumented(t *testing.T) {
	const entries, documented = 100_000, 60 << 20
	c, _ := open(t, keysOnly{memory.New()}, cache.Options{})
	before := heap()
	for i := range entries + entries/10 {
		id := fmt.Sprintf("%032d", i)
		key, err := c.NamedKey(t.Context(), id)
		require.NoError(t, err)
		token, err := macaroon.Mint(macaroon.Spec{Domain: "onezone", ID: id, Subject: key.Subject, Type: macaroon.AccessToken()}, key.Secret)
		require.NoError(t, err)
		_, err = token.Verify(t.Context(), key.Secret, caveat.Request{})
		require.NoError(t, err)
	}
	used := heap() - before
	t.Logf("%d entries take %d MiB, %d bytes each", c.Stats().Entries, used>>20, used/c.Stats().Entries)
	require.InDelta(t, entries, c.Stats().Entries, entries/100)
	require.Less(t, used, documented)
	require.Greater(t, used, documented/2, "the documented figure is too high")
}
