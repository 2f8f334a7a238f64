//go:build e2e

package stores_test

import (
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/redistest"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/cache"
)

// neverTooOld configures a cache whose answers never expire.
var neverTooOld = cache.Options{TTL: math.MaxInt64, ShortTTL: math.MaxInt64, NegativeTTL: math.MaxInt64}

// redisModes are the ways to run Redis.
var redisModes = []engine{
	{"single", func(tb testing.TB) place { return inRedis(redistest.URL(tb), redistest.Prefix()) }},
	{"cluster", func(tb testing.TB) place {
		addrs := redistest.ClusterAddrs(tb)
		return inRedis("redis://"+addrs[0]+"?addr="+strings.Join(addrs[1:], "&addr="), redistest.Prefix())
	}},
}

// fillRedis writes an identity of alice, a token "a" and a temporary secret.
func fillRedis(tb testing.TB, s store.Store) {
	tb.Helper()
	require.NoError(tb, s.CreateIdentity(tb.Context(), store.Identity{Subject: alice, Username: "alice"}))
	require.NoError(tb, second(s.CreateToken(tb.Context(), store.Token{
		ID: "a", Name: "a", Version: 2, Subject: alice, Type: "act", Secret: store.NewSecret("secret"),
	}, 0)))
	_, err := s.RotateTemporaryKey(tb.Context(), alice, store.NewSecret("temporary"))
	require.NoError(tb, err)
}

func setRevoked(tb testing.TB, s store.Store, revoked bool) error {
	return s.UpdateToken(tb.Context(), "a", func(t *store.Token) error { t.Revoked = revoked; return nil })
}

func TestCachedLookupsSendNothingToRedis(t *testing.T) {
	t.Parallel()
	server := redistest.New(t)
	s := inRedis("redis://"+server.Addr, "p")(t)
	fillRedis(t, s)
	c := followed(t, s, neverTooOld)
	lookUp := func() {
		key, err := c.NamedKey(t.Context(), "a")
		require.NoError(t, err)
		require.Equal(t, store.HolderActive, key.Holder)
		key, err = c.TemporaryKey(t.Context(), alice)
		require.NoError(t, err)
		require.Equal(t, "temporary", key.Secret.Reveal())
	}
	reads := func() []string {
		stats, err := server.Do("INFO", "commandstats")
		require.NoError(t, err)
		return regexp.MustCompile(`cmdstat_(?:evalsha_ro|eval_ro|get|mget):calls=\d+`).FindAllString(stats, -1)
	}
	lookUp()
	before := reads()
	require.NotEmpty(t, before)
	for range 100 {
		lookUp()
	}
	require.Equal(t, before, reads(), "a look-up asked the server")
}

func TestACacheOverRedisSeesTheChangesOfOthers(t *testing.T) {
	t.Parallel()
	forEach(t, redisModes, func(t *testing.T, p place) {
		ctx, writer := t.Context(), p(t)
		fillRedis(t, writer)
		reader := followed(t, p(t), neverTooOld)
		for i := range 20 {
			revoked := i%2 == 0
			_, err := reader.NamedKey(ctx, "a") // so that it is cached
			require.NoError(t, err)
			require.NoError(t, setRevoked(t, writer, revoked))
			eventually(t, func() bool {
				key, err := reader.NamedKey(ctx, "a")
				require.NoError(t, err)
				return key.Revoked == revoked
			}, "the cache sees the revocation")
		}
		_, err := reader.TemporaryKey(ctx, alice)
		require.NoError(t, err)
		_, err = writer.RotateTemporaryKey(ctx, alice, store.NewSecret("second"))
		require.NoError(t, err)
		require.NoError(t, writer.DeleteIdentity(ctx, alice))
		eventually(t, func() bool {
			key, err := reader.TemporaryKey(ctx, alice)
			require.NoError(t, err)
			return key.Generation == 2 && key.Holder == store.HolderMissing
		}, "the cache sees the rotation")
		require.NoError(t, writer.DeleteToken(ctx, "a"))
		eventually(t, func() bool {
			_, err := reader.NamedKey(ctx, "a")
			return errors.Is(err, errors.IDNotFound)
		}, "the cache sees that the token is deleted")
	})
}

// The writer ensures that the token is never valid while its holder is active.
func TestAnswersOfACacheOverRedisAreOfOneTime(t *testing.T) {
	t.Parallel()
	forEach(t, redisModes, func(t *testing.T, p place) {
		writer := p(t)
		fillRedis(t, writer)
		reader := followed(t, p(t), neverTooOld)
		blocked := func(is bool) error {
			return writer.UpdateIdentity(t.Context(), alice, func(i *store.Identity) error { i.Blocked = is; return nil })
		}
		require.NoError(t, setRevoked(t, writer, true))
		written := make(chan error, 1)
		go func() {
			var err error
			for range 300 {
				err = errors.Join(err, blocked(true), setRevoked(t, writer, false), setRevoked(t, writer, true), blocked(false))
			}
			written <- err
		}()
		for {
			key, err := reader.NamedKey(t.Context(), "a")
			require.NoError(t, err)
			require.False(t, !key.Revoked && key.Holder == store.HolderActive, "a token passes that was never good")
			select {
			case err := <-written:
				require.NoError(t, err)
				return
			default:
			}
		}
	})
}

// newRedisProxy returns a proxy to a new server, and a place behind the proxy.
func newRedisProxy(t *testing.T) (*redistest.Proxy, place) {
	t.Helper()
	proxy, err := redistest.NewProxy(redistest.New(t).Addr)
	require.NoError(t, err)
	t.Cleanup(proxy.Close)
	return proxy, inRedis("redis://"+proxy.Addr, "p")
}

func TestALostConnectionToRedisFlushesTheCache(t *testing.T) {
	t.Parallel()
	proxy, p := newRedisProxy(t)
	writer := p(t)
	fillRedis(t, writer)
	reader := followed(t, p(t), neverTooOld)
	_, err := reader.NamedKey(t.Context(), "a")
	require.NoError(t, err)
	proxy.Cut()
	eventually(t, func() bool { return setRevoked(t, writer, true) == nil }, "the writer connects again")
	eventually(t, func() bool {
		key, err := reader.NamedKey(t.Context(), "a")
		return err == nil && key.Revoked
	}, "the reader, which was told nothing, sees the revocation")
}

// The network drops all packets and closes nothing.
func TestADeadConnectionToRedisIsDetectedWithinTenSeconds(t *testing.T) {
	t.Parallel()
	proxy, p := newRedisProxy(t)
	s := p(t)
	fillRedis(t, s)
	c := followed(t, s, neverTooOld)
	_, err := c.NamedKey(t.Context(), "a")
	require.NoError(t, err)
	proxy.Hold()
	t.Cleanup(proxy.Release)
	start, flushes := time.Now(), c.Stats().Flushes
	eventually(t, func() bool { return c.Stats().Flushes > flushes }, "what was remembered is dropped")
	require.Less(t, time.Since(start), 10*time.Second)
	require.False(t, c.Stats().FeedUp)
}

// Changes that the feed does not report take effect after the TTL.
func TestKeysThatAreRemovedByHandAreSeenAtTheTTL(t *testing.T) {
	t.Parallel()
	server := redistest.New(t)
	s := inRedis("redis://"+server.Addr, "p")(t)
	fillRedis(t, s)
	moved := newClock()
	c := followed(t, s, cache.Options{TTL: time.Minute, Clock: moved.Now})
	_, err := c.NamedKey(t.Context(), "a")
	require.NoError(t, err)
	_, err = server.Do("FLUSHALL")
	require.NoError(t, err)
	moved.move(time.Minute - 1)
	_, err = c.NamedKey(t.Context(), "a")
	require.NoError(t, err, "FLUSHALL is reported: say so in the documentation")
	moved.move(1)
	_, err = c.NamedKey(t.Context(), "a")
	require.ErrorIs(t, err, errors.IDNotFound)
}

// BenchmarkVerifyRedis verifies the text of a token over Redis, with and
// without a cache.
func BenchmarkVerifyRedis(b *testing.B) {
	s := inRedis(redistest.URL(b), redistest.Prefix())(b)
	createUser(b, newAuthority(b, s))
	token := issue(b, newAuthority(b, s), 1)[0]
	for name, s := range map[string]store.Store{"bare": s, "cached": followed(b, s, neverTooOld)} {
		a := newAuthority(b, s)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := verify(b.Context(), a, token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
