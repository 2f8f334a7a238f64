package cache_test

import (
	"context"
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

// requireTTL requires that a change without a feed event is seen exactly when
// the time has passed.
func requireTTL(t *testing.T, b *backend, c cache.Store, clock *clock, ttl time.Duration) {
	t.Helper()
	key := temporaryKey(t, c)
	_, err := b.RotateTemporaryKey(t.Context(), alice, store.NewSecret("rotated"))
	require.NoError(t, err)
	clock.move(ttl - 1)
	require.Equal(t, key.Generation, temporaryKey(t, c).Generation, "forgotten before %s have passed", ttl)
	clock.move(1)
	require.Equal(t, key.Generation+1, temporaryKey(t, c).Generation, "believed after %s have passed", ttl)
}

func TestWithoutAFeedAnswersAreYoungerThanTheShortTTL(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	c, clock := open(t, plain{b}, cache.Options{})
	for range 3 {
		requireTTL(t, b, c, clock, 2*time.Second)
	}
	require.False(t, c.Stats().FeedUp)
	c, clock = open(t, plain{b}, cache.Options{ShortTTL: 30 * time.Second})
	requireTTL(t, b, c, clock, 30*time.Second)
}

func TestTheShortTTLIsAtMostTheTTL(t *testing.T) {
	t.Parallel()
	for _, o := range []cache.Options{{TTL: time.Second}, {TTL: time.Second, ShortTTL: time.Minute}} {
		b := newBackend(t)
		c, clock := open(t, plain{b}, o)
		requireTTL(t, b, c, clock, time.Second)
	}
}

func TestUnknownKeysAreCachedForAShortTime(t *testing.T) {
	t.Parallel()
	for _, o := range []cache.Options{{}, {NegativeTTL: time.Hour, ShortTTL: time.Second}} {
		b := newBackend(t)
		c, clock := open(t, plain{b}, o)
		_, err := c.NamedKey(t.Context(), "b")
		require.ErrorIs(t, err, errors.IDNotFound)
		require.NoError(t, second(b.CreateToken(t.Context(), token("b"), 0)))
		clock.move(time.Second - 1)
		_, err = c.NamedKey(t.Context(), "b")
		require.ErrorIs(t, err, errors.IDNotFound)
		clock.move(1)
		_, err = c.NamedKey(t.Context(), "b")
		require.NoError(t, err)
	}
}

func TestAClockThatGoesBackwardsExpiresAnswers(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	c, clock := open(t, plain{b}, cache.Options{})
	clock.move(time.Hour)
	namedKey(t, c)
	revoke(t, b)
	clock.move(-time.Minute)
	require.True(t, namedKey(t, c).Revoked)

	// Nor does it restore an answer that was replaced since then.
	require.NoError(t, b.DeleteToken(t.Context(), "a"))
	clock.move(time.Minute)
	_, err := c.NamedKey(t.Context(), "a")
	require.ErrorIs(t, err, errors.IDNotFound)
	clock.move(-time.Minute)
	_, err = c.NamedKey(t.Context(), "a")
	require.ErrorIs(t, err, errors.IDNotFound)
	require.NoError(t, second(b.CreateToken(t.Context(), token("a"), 0)))
	clock.move(time.Minute)
	namedKey(t, c)
	clock.move(-time.Minute)
	namedKey(t, c)
}

func TestTheAgeOfAnAnswerCountsFromTheStartOfTheLookUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t)
		c, clock := open(t, plain{b}, cache.Options{})
		stopped := b.stop()
		go func() { _, _ = c.NamedKey(t.Context(), "a") }()
		slow := <-stopped
		revoke(t, b)
		clock.move(2 * time.Second)
		b.run()
		slow.goOn()
		synctest.Wait()
		require.True(t, namedKey(t, c).Revoked)
	})
}

func TestAnswersLiveLongerWhileTheFeedIsConnected(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t)
		c, clock := open(t, b, cache.Options{})
		requireTTL(t, b, c, clock, 2*time.Second)
		b.feed <- store.Change{Kind: store.FeedUp}
		synctest.Wait()
		require.True(t, c.Stats().FeedUp)
		requireTTL(t, b, c, clock, time.Minute)
		b.feed <- store.Change{Kind: store.FeedDown}
		synctest.Wait()
		require.False(t, c.Stats().FeedUp)
		requireTTL(t, b, c, clock, 2*time.Second)
		b.feed <- store.Change{Kind: store.FeedUp}
		synctest.Wait()
		requireTTL(t, b, c, clock, time.Minute)
		require.EqualValues(t, 3, c.Stats().Flushes)
	})
}

func TestAllAnswersAreDroppedWhenTheFeedDisconnectsOrReconnects(t *testing.T) {
	t.Parallel()
	for _, kind := range []store.ChangeKind{store.FeedUp, store.FeedDown, 99} {
		synctest.Test(t, func(t *testing.T) {
			b := newBackend(t)
			c, _ := open(t, b, cache.Options{})
			b.feed <- store.Change{Kind: store.FeedUp}
			synctest.Wait()
			namedKey(t, c)
			_, err := c.NamedKey(t.Context(), "b")
			require.ErrorIs(t, err, errors.IDNotFound)
			stopped := b.stop()
			go func() { _, _ = c.TemporaryKey(t.Context(), alice) }()
			slow := <-stopped
			revoke(t, b)
			require.NoError(t, second(b.CreateToken(t.Context(), token("b"), 0)))
			_, err = b.RotateTemporaryKey(t.Context(), alice, store.NewSecret("x"))
			require.NoError(t, err)

			b.feed <- store.Change{Kind: kind}
			synctest.Wait()
			b.run()
			require.True(t, namedKey(t, c).Revoked)
			_, err = c.NamedKey(t.Context(), "b")
			require.NoError(t, err)
			require.EqualValues(t, 2, temporaryKey(t, c).Generation, "shared an older look-up in flight")
			slow.goOn()
			synctest.Wait()
			require.EqualValues(t, 2, temporaryKey(t, c).Generation, "cached the answer of an older look-up")
		})
	}
}

func TestTheFeedDropsDependentAnswers(t *testing.T) {
	t.Parallel()
	other := store.Change{Kind: store.TokenChanged, TokenID: "other"}
	for what, c := range map[string]struct {
		change           store.Change
		named, temporary bool // is dropped
	}{
		"token":             {store.Change{Kind: store.TokenChanged, TokenID: "a"}, true, false},
		"temporary":         {store.Change{Kind: store.TemporaryChanged, Subject: alice}, false, true},
		"identity":          {store.Change{Kind: store.IdentityChanged, Subject: alice}, true, true},
		"another token":     {other, false, false},
		"another temporary": {store.Change{Kind: store.TemporaryChanged, Subject: bob}, false, false},
		"another identity":  {store.Change{Kind: store.IdentityChanged, Subject: bob}, false, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBackend(t)
			s, _ := open(t, b, cache.Options{})
			b.feed <- store.Change{Kind: store.FeedUp}
			synctest.Wait()
			dropped := func(lookUp func()) bool {
				before := b.lookUps.Load()
				lookUp()
				return b.lookUps.Load() != before
			}
			namedKey(t, s)
			temporaryKey(t, s)
			b.feed <- c.change
			synctest.Wait()
			require.Equal(t, c.named, dropped(func() { namedKey(t, s) }), what)
			require.Equal(t, c.temporary, dropped(func() { temporaryKey(t, s) }), what)
		})
	}
}

// TestChangesOfOthersDuringALookUpAreNotMissed checks changes that only the
// feed reports.
func TestChangesOfOthersDuringALookUpAreNotMissed(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		write  func(t *testing.T, b *backend)
		change store.Change
		seen   func(key store.Key) bool
	}{
		"token": {
			func(t *testing.T, b *backend) { revoke(t, b) },
			store.Change{Kind: store.TokenChanged, TokenID: "a"},
			func(key store.Key) bool { return key.Revoked },
		},
		"identity": {
			func(t *testing.T, b *backend) { block(t, b) },
			store.Change{Kind: store.IdentityChanged, Subject: alice},
			func(key store.Key) bool { return key.Holder == store.HolderBlocked },
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBackend(t)
			s, _ := open(t, b, cache.Options{})
			b.feed <- store.Change{Kind: store.FeedUp}
			synctest.Wait()
			stopped := b.stop()
			early := goNamedKey(t.Context(), s)
			slow := <-stopped
			b.run()
			c.write(t, b)
			b.feed <- c.change
			synctest.Wait()
			require.True(t, c.seen(namedKey(t, s)), "%s: joined a look-up that read before the change", what)
			slow.goOn()
			found := <-early
			require.NoError(t, found.err)
			require.False(t, c.seen(found.key), "%s: the race did not happen", what)
			require.True(t, c.seen(namedKey(t, s)), "%s: what was read before the change is kept", what)
		})
	}
}

func TestAFeedThatEndsIsRestarted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t)
		c, _ := open(t, b, cache.Options{})
		feed := b.feed
		for range 3 {
			feed <- store.Change{Kind: store.FeedUp}
			synctest.Wait()
			require.True(t, c.Stats().FeedUp)
			namedKey(t, c)
			before := b.lookUps.Load()
			next := make(chan store.Change)
			b.nextFeed(next)
			close(feed)
			synctest.Wait()
			require.False(t, c.Stats().FeedUp)
			namedKey(t, c)
			require.Equal(t, before+1, b.lookUps.Load(), "the cache was not flushed")
			feed = next
		}
		// It is not restarted without a pause.
		ended := make(chan store.Change)
		close(ended)
		b.nextFeed(ended)
		close(feed)
		asked := b.watches.Load()
		<-time.After(time.Minute)
		require.InDelta(t, 10, b.watches.Load()-asked, 8)
	})
}

func TestObserversOfTheCacheNeverSeeOutdatedAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &late{backend: newBackend(t)}
		c, _ := open(t, b, cache.Options{ShortTTL: time.Hour})
		synctest.Wait()
		for _, change := range []store.Change{
			{Kind: store.TokenChanged, TokenID: "a"},
			{Kind: store.FeedUp},
			{Kind: store.FeedDown},
		} {
			tails := len(namedKey(t, c).RevokedTails)
			require.NoError(t, b.UpdateToken(t.Context(), "a", func(t *store.Token) error {
				t.RevokedTails = append(t.RevokedTails, store.Tail{})
				return nil
			}))
			b.reported = change
			reported := false
			err := c.Watch(t.Context(), func(store.Change) {
				reported = true
				require.Len(t, namedKey(t, c).RevokedTails, tails+1, "%+v", change)
			})
			require.ErrorIs(t, err, errDown)
			require.True(t, reported)
		}
	})
}

// late is a backend that reports no change to its first watcher, which is the
// cache itself, and one change to others.
type late struct {
	*backend
	watched  bool
	reported store.Change
}

func (l *late) Watch(ctx context.Context, observe func(store.Change)) error {
	if !l.watched {
		l.watched = true
		<-ctx.Done()
		return ctx.Err()
	}
	observe(l.reported)
	return errDown
}

func TestTokensRevokedOnOneReplicaAreRejectedByOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := memory.New()
		fill(t, shared)
		grant := macaroon.Grant{
			Subject: alice, Type: macaroon.AccessToken(),
			Caveats: []caveat.Caveat{caveat.Time{ValidUntil: time.Now().Unix() + 3600}},
		}
		var replicas []*macaroon.Authority
		for range 3 {
			c, _ := open(t, shared, cache.Options{TTL: time.Hour, ShortTTL: time.Hour})
			authority, err := macaroon.NewAuthority(c)
			require.NoError(t, err)
			replicas = append(replicas, authority)
		}
		synctest.Wait()
		named, err := replicas[0].IssueNamed(t.Context(), "laptop", grant)
		require.NoError(t, err)
		temporary, err := replicas[1].Issue(t.Context(), grant)
		require.NoError(t, err)
		verify := func(replica *macaroon.Authority, issued macaroon.Token) error {
			_, err := replica.VerifyAccess(t.Context(), issued.String(), caveat.Request{})
			return err
		}
		synctest.Wait()
		for range 2 {
			for _, replica := range replicas {
				require.NoError(t, verify(replica, named))
				require.NoError(t, verify(replica, temporary))
			}
		}

		require.NoError(t, shared.UpdateToken(t.Context(), named.ID(), func(t *store.Token) error { t.Revoked = true; return nil }))
		require.NoError(t, replicas[2].RevokeTemporary(t.Context(), alice))
		synctest.Wait() // the latency of the feed
		for _, replica := range replicas {
			require.ErrorIs(t, verify(replica, named), errors.IDTokenRevoked)
			require.ErrorIs(t, verify(replica, temporary), errors.IDTokenRevoked)
		}
	})
}
