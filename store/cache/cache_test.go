package cache_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/retention"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/cache"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/seal"
	"github.com/onezone-go/onezone/store/storetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	keys, err := seal.NewStaticKeys(seal.Key{ID: "k", Material: store.NewSecret(strings.Repeat("m", 32))})
	require.NoError(t, err)
	cached := func(t *testing.T, s store.Store, o cache.Options) store.Store {
		c, err := cache.New(s, o)
		require.NoError(t, err)
		return c
	}
	sealed := func(t *testing.T, s store.Store) store.Store {
		s, err := seal.New(t.Context(), s, keys, seal.Options{})
		require.NoError(t, err)
		return s
	}
	for name, open := range map[string]func(t *testing.T) store.Store{
		"memory": func(t *testing.T) store.Store { return cached(t, memory.New(), cache.Options{}) },
		"without TTL": func(t *testing.T) store.Store {
			return cached(t, memory.New(), cache.Options{TTL: 1, ShortTTL: 1, NegativeTTL: 1})
		},
		"tiny": func(t *testing.T) store.Store {
			return cached(t, memory.New(), cache.Options{MaxEntries: 1, MaxNegative: 1})
		},
		"no feed": func(t *testing.T) store.Store {
			return cached(t, plain{memory.New()}, cache.Options{ShortTTL: time.Hour, NegativeTTL: time.Hour})
		},
		"over a seal":  func(t *testing.T) store.Store { return cached(t, sealed(t, memory.New()), cache.Options{}) },
		"under a seal": func(t *testing.T) store.Store { return sealed(t, cached(t, memory.New(), cache.Options{})) },
		"over a cache": func(t *testing.T) store.Store {
			return cached(t, cached(t, memory.New(), cache.Options{}), cache.Options{})
		},
	} {
		t.Run(name, func(t *testing.T) { storetest.Run(t, open) })
	}
}

func TestNewRejectsInvalidOptions(t *testing.T) {
	t.Parallel()
	_, err := cache.New(nil, cache.Options{})
	require.ErrorIs(t, err, errors.IDBadData)
	for _, o := range []cache.Options{
		{MaxEntries: -1}, {MaxNegative: -1}, {TTL: -1}, {ShortTTL: -1}, {NegativeTTL: -1}, {LoadTimeout: -1},
	} {
		_, err := cache.New(memory.New(), o)
		require.ErrorIs(t, err, errors.IDBadValueTooLow, "%+v", o)
	}
}

func TestLookUpsAreAnsweredFromMemory(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	c, _ := open(t, plain{b}, cache.Options{})
	for range 10 {
		require.Equal(t, namedKey(t, b.Store), namedKey(t, c))
		require.Equal(t, temporaryKey(t, b.Store), temporaryKey(t, c))
		_, err := c.NamedKey(t.Context(), "unknown")
		require.ErrorIs(t, err, errors.IDNotFound)
		_, err = c.TemporaryKey(t.Context(), bob)
		require.ErrorIs(t, err, errors.IDNotFound)
	}
	require.EqualValues(t, 4, b.lookUps.Load())
	require.Equal(t, cache.Stats{Hits: 36, Misses: 4, Loads: 4, Entries: 2, Negative: 2}, c.Stats())
}

func TestKeysOfDifferentKindsAreKeptApart(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	same := token("alice")
	require.NoError(t, second(b.CreateToken(t.Context(), same, 0)))
	_, err := b.EnsureTemporaryKey(t.Context(), caveat.Provider("alice"), store.NewSecret("of the provider"))
	require.NoError(t, err)
	c, _ := open(t, plain{b}, cache.Options{})
	for range 2 {
		key, err := c.NamedKey(t.Context(), "alice")
		require.NoError(t, err)
		require.Equal(t, "secret of alice", key.Secret.Reveal())
		require.Equal(t, "temporary", temporaryKey(t, c).Secret.Reveal())
		key, err = c.TemporaryKey(t.Context(), caveat.Provider("alice"))
		require.NoError(t, err)
		require.Equal(t, "of the provider", key.Secret.Reveal())
	}
	require.EqualValues(t, 3, b.lookUps.Load())
}

// ownWrites are the writes that change the result of look-ups, with the result.
var ownWrites = map[string]struct {
	write func(ctx context.Context, s cache.Store) error
	check func(t *testing.T, s store.Store)
}{
	"UpdateToken": {
		func(ctx context.Context, s cache.Store) error {
			return s.UpdateToken(ctx, "a", func(t *store.Token) error { t.Revoked = true; return nil })
		},
		func(t *testing.T, s store.Store) { require.True(t, namedKey(t, s).Revoked) },
	},
	"DeleteToken": {
		func(ctx context.Context, s cache.Store) error { return s.DeleteToken(ctx, "a") },
		func(t *testing.T, s store.Store) {
			_, err := s.NamedKey(t.Context(), "a")
			require.ErrorIs(t, err, errors.IDNotFound)
		},
	},
	"CreateToken": {
		func(ctx context.Context, s cache.Store) error { return second(s.CreateToken(ctx, token("unknown"), 0)) },
		func(t *testing.T, s store.Store) {
			_, err := s.NamedKey(t.Context(), "unknown")
			require.NoError(t, err)
		},
	},
	"CreateToken of an active holder": {
		func(ctx context.Context, s cache.Store) error {
			return second(s.CreateToken(ctx, token("unknown"), store.HolderActive))
		},
		func(t *testing.T, s store.Store) {
			_, err := s.NamedKey(t.Context(), "unknown")
			require.NoError(t, err)
		},
	},
	"ReplaceTemporarySecret": {
		func(ctx context.Context, s cache.Store) error {
			return second(s.ReplaceTemporarySecret(ctx, alice, store.NewSecret("temporary"), store.NewSecret("resealed")))
		},
		func(t *testing.T, s store.Store) { require.Equal(t, "resealed", temporaryKey(t, s).Secret.Reveal()) },
	},
	"RotateTemporaryKey": {
		func(ctx context.Context, s cache.Store) error {
			_, err := s.RotateTemporaryKey(ctx, alice, store.NewSecret("rotated"))
			return err
		},
		func(t *testing.T, s store.Store) { require.EqualValues(t, 2, temporaryKey(t, s).Generation) },
	},
	"DeleteTemporaryKey": {
		func(ctx context.Context, s cache.Store) error { return s.DeleteTemporaryKey(ctx, alice) },
		func(t *testing.T, s store.Store) {
			_, err := s.TemporaryKey(t.Context(), alice)
			require.ErrorIs(t, err, errors.IDNotFound)
		},
	},
	"EnsureTemporaryKey": {
		func(ctx context.Context, s cache.Store) error {
			_, err := s.EnsureTemporaryKey(ctx, bob, store.NewSecret("of bob"))
			return err
		},
		func(t *testing.T, s store.Store) {
			_, err := s.TemporaryKey(t.Context(), bob)
			require.NoError(t, err)
		},
	},
	"UpdateIdentity": {
		func(ctx context.Context, s cache.Store) error {
			return s.UpdateIdentity(ctx, alice, func(i *store.Identity) error { i.Blocked = true; return nil })
		},
		func(t *testing.T, s store.Store) { requireHolder(t, s, store.HolderBlocked) },
	},
	"DeleteIdentity": {
		func(ctx context.Context, s cache.Store) error { return s.DeleteIdentity(ctx, alice) },
		func(t *testing.T, s store.Store) { requireHolder(t, s, store.HolderMissing) },
	},
	"CreateIdentity": {
		func(ctx context.Context, s cache.Store) error {
			return s.CreateIdentity(ctx, store.Identity{Subject: caveat.Provider("p")})
		},
		func(t *testing.T, s store.Store) {
			key, err := s.NamedKey(t.Context(), "of p")
			require.NoError(t, err)
			require.Equal(t, store.HolderActive, key.Holder)
		},
	},
	"Import": {
		func(ctx context.Context, s cache.Store) error {
			revoked, blocked := token("a"), store.Identity{Subject: alice, Blocked: true}
			revoked.Revoked = true
			return s.Import(ctx, []store.Record{
				{Token: &revoked}, {Identity: &blocked},
				{Temporary: &store.Temporary{Subject: alice, Secret: store.NewSecret("x"), Generation: 5}},
			})
		},
		func(t *testing.T, s store.Store) {
			require.True(t, namedKey(t, s).Revoked)
			require.EqualValues(t, 5, temporaryKey(t, s).Generation)
			requireHolder(t, s, store.HolderBlocked)
		},
	},
	"Import of a token": {
		func(ctx context.Context, s cache.Store) error {
			revoked := token("a")
			revoked.Revoked = true
			return s.Import(ctx, []store.Record{{Token: &revoked}})
		},
		func(t *testing.T, s store.Store) { require.True(t, namedKey(t, s).Revoked) },
	},
	"Import of a temporary secret": {
		func(ctx context.Context, s cache.Store) error {
			return s.Import(ctx, []store.Record{
				{Temporary: &store.Temporary{Subject: alice, Secret: store.NewSecret("x"), Generation: 5}},
			})
		},
		func(t *testing.T, s store.Store) { require.EqualValues(t, 5, temporaryKey(t, s).Generation) },
	},
	"Import of an identity": {
		func(ctx context.Context, s cache.Store) error {
			blocked := store.Identity{Subject: alice, Blocked: true}
			return s.Import(ctx, []store.Record{{Identity: &blocked}})
		},
		func(t *testing.T, s store.Store) { requireHolder(t, s, store.HolderBlocked) },
	},
}

func requireHolder(t *testing.T, s store.Store, want store.Status) {
	t.Helper()
	require.Equal(t, want, namedKey(t, s).Holder)
	require.Equal(t, want, temporaryKey(t, s).Holder)
}

// lookEverywhere makes the cache look up all keys that own writes change.
// Existing and missing keys are the same for all writes.
func lookEverywhere(t *testing.T, c store.Store) {
	t.Helper()
	for _, id := range []string{"a", "unknown", "of p"} {
		_, err := c.NamedKey(t.Context(), id)
		require.Equal(t, id == "unknown", errors.Is(err, errors.IDNotFound), "%v", err)
	}
	temporaryKey(t, c)
	_, err := c.TemporaryKey(t.Context(), bob)
	require.ErrorIs(t, err, errors.IDNotFound)
}

// forOwnWrites runs a test with a cache without feed events whose answers do
// not expire.
func forOwnWrites(t *testing.T, test func(t *testing.T, b *backend, c cache.Store, write func(), check func())) {
	for name, w := range ownWrites {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBackend(t)
				ofP := token("of p")
				ofP.Subject = caveat.Provider("p")
				require.NoError(t, second(b.CreateToken(t.Context(), ofP, 0)))
				c, _ := open(t, b, cache.Options{ShortTTL: time.Hour, NegativeTTL: time.Hour})
				test(t, b, c,
					func() { require.NoError(t, w.write(t.Context(), c)) },
					func() { w.check(t, c) })
			})
		})
	}
}

func TestOwnWritesAreSeenAtOnce(t *testing.T) {
	t.Parallel()
	forOwnWrites(t, func(t *testing.T, b *backend, c cache.Store, write, check func()) {
		lookEverywhere(t, c)
		before := b.lookUps.Load()
		lookEverywhere(t, c)
		require.Equal(t, before, b.lookUps.Load(), "the cache has no answers before the write")
		b.before = func() { lookEverywhere(t, c) } // what is found just before the write goes too
		write()
		check()
		check()
	})
}

// TestLookUpsInFlightDoNotHideAWrite stops look-ups that have read the backend
// before the write, and resumes them after it.
func TestLookUpsInFlightDoNotHideAWrite(t *testing.T) {
	t.Parallel()
	forOwnWrites(t, func(t *testing.T, b *backend, c cache.Store, write, check func()) {
		stopped := b.stop()
		var early sync.WaitGroup
		for _, id := range []string{"a", "unknown", "of p"} {
			early.Go(func() { _, _ = c.NamedKey(t.Context(), id) })
		}
		for _, subject := range []caveat.Subject{alice, bob} {
			early.Go(func() { _, _ = c.TemporaryKey(t.Context(), subject) })
		}
		synctest.Wait()
		require.Len(t, stopped, 5)
		b.run()
		write()
		check() // must not share a look-up that began before the write
		for range 5 {
			(<-stopped).goOn()
		}
		early.Wait()
		check() // and what they found is not kept
	})
}

func TestFailedWritesDropTheirAnswers(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	c, _ := open(t, lostAnswer{b}, cache.Options{ShortTTL: time.Hour})
	namedKey(t, c)
	err := c.UpdateToken(t.Context(), "a", func(t *store.Token) error { t.Revoked = true; return nil })
	requireEnvironment(t, err, errDown)
	require.True(t, namedKey(t, c).Revoked)
}

// lostAnswer writes and then loses the connection.
type lostAnswer struct{ *backend }

func (l lostAnswer) UpdateToken(ctx context.Context, id string, change func(*store.Token) error) error {
	return errors.Join(errDown, l.backend.UpdateToken(ctx, id, change))
}

func TestEnsureReturnsTheCurrentKeyAndKeepsAnswers(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	c, _ := open(t, plain{b}, cache.Options{ShortTTL: time.Hour, NegativeTTL: time.Hour})
	ensure := func(subject caveat.Subject) store.Key {
		key, err := c.EnsureTemporaryKey(t.Context(), subject, store.NewSecret("another"))
		require.NoError(t, err)
		return key
	}
	temporaryKey(t, c)
	before := b.lookUps.Load()
	require.EqualValues(t, 1, ensure(alice).Generation)
	temporaryKey(t, c)
	require.Equal(t, before, b.lookUps.Load(), "a valid answer was dropped")

	// Another process rotates the key of alice and creates one of bob, without
	// a feed event.
	_, err := c.TemporaryKey(t.Context(), bob)
	require.ErrorIs(t, err, errors.IDNotFound)
	_, err = b.RotateTemporaryKey(t.Context(), alice, store.NewSecret("rotated"))
	require.NoError(t, err)
	_, err = b.Store.EnsureTemporaryKey(t.Context(), bob, store.NewSecret("of bob"))
	require.NoError(t, err)
	require.EqualValues(t, 1, temporaryKey(t, c).Generation)
	require.EqualValues(t, 2, ensure(alice).Generation, "a token would be signed with an old key")
	require.EqualValues(t, 2, temporaryKey(t, c).Generation, "a token of the new key would be rejected")
	require.Equal(t, "of bob", ensure(bob).Secret.Reveal())
	_, err = c.TemporaryKey(t.Context(), bob)
	require.NoError(t, err)

	// Keys of the same generation may differ.
	require.NoError(t, b.DeleteTemporaryKey(t.Context(), bob))
	require.Equal(t, "another", ensure(bob).Secret.Reveal())
	key, err := c.TemporaryKey(t.Context(), bob)
	require.NoError(t, err)
	require.Equal(t, "another", key.Secret.Reveal())
}

func TestLookUpsOfDifferentKindsAreNotShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t)
		c, _ := open(t, plain{b}, cache.Options{})
		stopped := b.stop()
		subjects := []caveat.Subject{{}, alice, caveat.Provider("alice")}
		subjects[0].ID = "alice"
		var all sync.WaitGroup
		for _, subject := range subjects {
			all.Go(func() { _, _ = c.TemporaryKey(t.Context(), subject) })
		}
		all.Go(func() { _, _ = c.NamedKey(t.Context(), "alice") })
		synctest.Wait()
		require.Len(t, stopped, 4)
		for range 4 {
			(<-stopped).goOn()
		}
		all.Wait()
	})
}

func TestTheNumberOfEntriesIsBounded(t *testing.T) {
	t.Parallel()
	const limit = 50
	b := newBackend(t)
	c, _ := open(t, plain{b}, cache.Options{MaxEntries: limit, MaxNegative: limit})
	for i := range 20 * limit {
		subject := caveat.User(fmt.Sprint("user ", i))
		_, err := b.Store.EnsureTemporaryKey(t.Context(), subject, store.NewSecret("x"))
		require.NoError(t, err)
		_, err = c.TemporaryKey(t.Context(), subject)
		require.NoError(t, err)
		_, err = c.NamedKey(t.Context(), fmt.Sprint("unknown ", i))
		require.ErrorIs(t, err, errors.IDNotFound)
	}
	// Surplus entries are evicted in another goroutine.
	require.Eventually(t, func() bool {
		s := c.Stats()
		return s.Entries <= limit && s.Negative <= limit && s.Entries > 0 && s.Negative > 0
	}, 10*time.Second, time.Millisecond)
}

func TestForgedIDsEvictNoValidAnswer(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	c, _ := open(t, plain{b}, cache.Options{MaxEntries: 10, MaxNegative: 10})
	namedKey(t, c)
	for i := range 1000 {
		_, err := c.NamedKey(t.Context(), fmt.Sprint("forged ", i))
		require.ErrorIs(t, err, errors.IDNotFound)
	}
	before := b.lookUps.Load()
	namedKey(t, c)
	require.Equal(t, before, b.lookUps.Load())
}

func TestTooLongIDsAreNotCached(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	c, _ := open(t, plain{b}, cache.Options{})
	for range 3 {
		_, err := c.NamedKey(t.Context(), strings.Repeat("x", 1025))
		require.ErrorIs(t, err, errors.IDNotFound)
		_, err = c.NamedKey(t.Context(), strings.Repeat("x", 1024))
		require.ErrorIs(t, err, errors.IDNotFound)
	}
	require.EqualValues(t, 4, b.lookUps.Load())
	require.Equal(t, 1, c.Stats().Negative)
}

func TestAnswersKeepNoTokensInMemory(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	c, _ := open(t, b, cache.Options{})
	for _, name := range []string{"a", "alice", "unknown"} {
		id, kept := retention.Within(name)
		_, _ = c.NamedKey(t.Context(), id)
		_, _ = c.TemporaryKey(t.Context(), caveat.User(id))
		require.False(t, kept(), name)
	}
}
