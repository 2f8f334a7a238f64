package redis_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/redistest"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/redis"
	"github.com/onezone-go/onezone/store/storetest"
)

// newProxy returns a proxy in front of a server of its own.
func newProxy(t *testing.T) *redistest.Proxy {
	t.Helper()
	server := redistest.New(t)
	proxy, err := redistest.NewProxy(server.Addr)
	require.NoError(t, err)
	t.Cleanup(proxy.Close)
	return proxy
}

// newProxyClient returns a client that sends nothing unless it is asked to.
func newProxyClient(t *testing.T, proxy *redistest.Proxy) rueidis.Client {
	t.Helper()
	option := rueidis.ClientOption{InitAddress: []string{proxy.Addr}}
	option.Dialer.KeepAlive = time.Hour // which is also the time between pings
	option.ConnWriteTimeout = time.Minute
	return newClient(t, option)
}

func TestHotLookUpsDoNoRoundTrip(t *testing.T) {
	t.Parallel()
	proxy := newProxy(t)
	fill(t, newStore(t, newProxyClient(t, proxy), redis.Options{Prefix: "p"}))
	s := newStore(t, newProxyClient(t, proxy), redis.Options{Prefix: "p", CacheTTL: time.Hour})
	lookUp := func() {
		key, err := s.NamedKey(t.Context(), "a")
		require.NoError(t, err)
		require.Equal(t, store.HolderActive, key.Holder)
		key, err = s.TemporaryKey(t.Context(), alice)
		require.NoError(t, err)
		require.Equal(t, "temporary", key.Secret.Reveal())
	}
	lookUp() // which finds that there are such keys
	lookUp()
	sent := proxy.Received.Load()
	for range 100 {
		lookUp()
	}
	require.Equal(t, sent, proxy.Received.Load(), "a look-up asked the server")
}

func TestChangesOfOthersInvalidate(t *testing.T) {
	t.Parallel()
	for name, client := range map[string]func(testing.TB) rueidis.Client{"single": newSingleClient, "cluster": newClusterClient} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := redis.Options{Prefix: redistest.Prefix(), CacheTTL: time.Hour}
			writer, reader := newStore(t, client(t), o), newStore(t, client(t), o)
			fill(t, writer)
			for i := range 20 {
				revoked := i%2 == 0
				_, err := reader.NamedKey(t.Context(), "a") // so that it is remembered
				require.NoError(t, err)
				require.NoError(t, writer.UpdateToken(t.Context(), "a", func(t *store.Token) error {
					t.Revoked = revoked
					return nil
				}))
				eventually(t, func() bool {
					key, err := reader.NamedKey(t.Context(), "a")
					require.NoError(t, err)
					return key.Revoked == revoked
				}, "the other store sees the revocation")
			}
			_, err := reader.TemporaryKey(t.Context(), alice)
			require.NoError(t, err)
			_, err = writer.RotateTemporaryKey(t.Context(), alice, store.NewSecret("second"))
			require.NoError(t, err)
			require.NoError(t, writer.DeleteIdentity(t.Context(), alice))
			eventually(t, func() bool {
				key, err := reader.TemporaryKey(t.Context(), alice)
				require.NoError(t, err)
				return key.Generation == 2 && key.Holder == store.HolderMissing
			}, "the other store sees the rotation")
			require.NoError(t, writer.DeleteToken(t.Context(), "a"))
			eventually(t, func() bool {
				_, err := reader.NamedKey(t.Context(), "a")
				return err != nil
			}, "the other store sees that the token is deleted")
		})
	}
}

// newDeafClient returns a client with one connection, to which the server says
// nothing of its own writes.
func newDeafClient(t *testing.T) rueidis.Client {
	t.Helper()
	option := rueidis.MustParseURL(redistest.URL(t))
	option.ClientTrackingOptions = []string{"OPTIN", "NOLOOP"}
	option.PipelineMultiplex = -1
	return newClient(t, option)
}

// Here the server never corrects what the client remembers.
func TestConformanceWhereOwnWritesInvalidateNothing(t *testing.T) {
	t.Parallel()
	client := newDeafClient(t)
	storetest.Run(t, func(t *testing.T) store.Store { return newStore(t, client, redis.Options{CacheTTL: time.Hour}) })
}

func TestOwnWritesAreSeenHoweverMany(t *testing.T) {
	t.Parallel()
	client, o := newDeafClient(t), redis.Options{Prefix: redistest.Prefix(), CacheTTL: time.Hour}
	fill(t, newStore(t, client, o))
	s := newStore(t, client, o)
	_, err := s.NamedKey(t.Context(), "a") // so that it is remembered
	require.NoError(t, err)
	require.NoError(t, s.UpdateToken(t.Context(), "a", revoke))
	for batch := range 70 { // of 1000 records: more than are kept in mind
		records := make([]store.Record, 1000)
		for i := range records {
			subject := caveat.User(fmt.Sprint(batch, " ", i))
			records[i].Temporary = &store.Temporary{Subject: subject, Secret: store.NewSecret("s"), Generation: 1}
		}
		require.NoError(t, s.Import(t.Context(), records))
	}
	key, err := s.NamedKey(t.Context(), "a")
	require.NoError(t, err)
	require.True(t, key.Revoked, "the store forgot its own write")
}

// A write takes longer than anything is remembered, and what it changes is read
// and remembered again before it is done.
func TestSlowWriteIsSeenWhenItIsDone(t *testing.T) {
	t.Parallel()
	const ttl = 300 * time.Millisecond
	client := &stalling{Client: newDeafClient(t), stalled: make(chan struct{}), goOn: make(chan struct{})}
	o := redis.Options{Prefix: redistest.Prefix(), CacheTTL: ttl}
	fill(t, newStore(t, client.Client, o))
	s := newStore(t, client, o)
	client.scripts.Store(1)
	written := make(chan error, 1)
	go func() { written <- s.UpdateToken(t.Context(), "a", revoke) }()
	await(t, client.stalled, "the write is under way")
	start := time.Now()
	eventually(t, func() bool {
		_, err := s.NamedKey(t.Context(), "a")
		require.NoError(t, err)
		return time.Since(start) > 3*ttl
	}, "the time has passed")
	close(client.goOn)
	require.NoError(t, await(t, written, "the write is done"))
	key, err := s.NamedKey(t.Context(), "a")
	require.NoError(t, err)
	require.True(t, key.Revoked, "the store does not see its own write")
}

func TestObserverSeesTheChangeThatItIsToldOf(t *testing.T) {
	t.Parallel()
	client, o := newDeafClient(t), redis.Options{Prefix: redistest.Prefix(), CacheTTL: time.Hour}
	writer := newStore(t, client, o)
	fill(t, writer)
	s := newStore(t, client, o)
	_, err := s.NamedKey(t.Context(), "a") // so that it is remembered
	require.NoError(t, err)
	_, err = s.TemporaryKey(t.Context(), alice)
	require.NoError(t, err)
	changes := watch(t, s)
	require.NoError(t, writer.UpdateToken(t.Context(), "a", revoke))
	awaitKind(t, changes, store.TokenChanged)
	key, err := s.NamedKey(t.Context(), "a")
	require.NoError(t, err)
	require.True(t, key.Revoked)
	_, err = writer.RotateTemporaryKey(t.Context(), alice, store.NewSecret("next"))
	require.NoError(t, err)
	awaitKind(t, changes, store.TemporaryChanged)
	key, err = s.TemporaryKey(t.Context(), alice)
	require.NoError(t, err)
	require.EqualValues(t, 2, key.Generation)
	require.NoError(t, writer.DeleteIdentity(t.Context(), alice))
	awaitKind(t, changes, store.IdentityChanged)
	key, err = s.TemporaryKey(t.Context(), alice)
	require.NoError(t, err)
	require.Equal(t, store.HolderMissing, key.Holder)
}

func TestSlowObserverIsToldThatItMissedChanges(t *testing.T) {
	t.Parallel()
	s := newStore(t, newSingleClient(t), redis.Options{})
	fill(t, s)
	changes := make(chan store.Change)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		_ = s.Watch(ctx, func(c store.Change) {
			select {
			case changes <- c:
			case <-ctx.Done():
			}
		})
	}()
	awaitKind(t, changes, store.FeedUp)
	for range 10 { // of 1000 changes: more than wait for an observer
		records := make([]store.Record, 1000)
		for i := range records {
			token := newToken(fmt.Sprint(i))
			records[i].Token = &token
		}
		require.NoError(t, s.Import(t.Context(), records))
	}
	awaitKind(t, changes, store.FeedDown)
	awaitKind(t, changes, store.FeedUp)
	require.NoError(t, s.UpdateToken(t.Context(), "a", revoke))
	awaitKind(t, changes, store.TokenChanged)
}

// The feed does not wait for the next question to the server.
func TestLostConnectionIsToldAtOnce(t *testing.T) {
	t.Parallel()
	proxy := newProxy(t)
	changes := watch(t, newStore(t, newProxyClient(t, proxy), redis.Options{Prefix: "p"}))
	fastest := patience
	for range 5 {
		start := time.Now()
		proxy.Cut()
		awaitKind(t, changes, store.FeedDown)
		fastest = min(fastest, time.Since(start))
		awaitKind(t, changes, store.FeedUp)
	}
	require.Less(t, fastest, redis.RoleCheck/2)
}

func TestLostConnectionForgetsWhatWasRemembered(t *testing.T) {
	t.Parallel()
	proxy := newProxy(t)
	o := redis.Options{Prefix: "p", CacheTTL: time.Hour}
	writer := newStore(t, newProxyClient(t, proxy), o)
	fill(t, writer)
	reader := newStore(t, newProxyClient(t, proxy), o)
	_, err := reader.NamedKey(t.Context(), "a")
	require.NoError(t, err)

	proxy.Cut()
	eventually(t, func() bool { return writer.UpdateToken(t.Context(), "a", revoke) == nil }, "the writer connects again")
	eventually(t, func() bool {
		key, err := reader.NamedKey(t.Context(), "a")
		return err == nil && key.Revoked
	}, "the reader, which was told nothing, sees the revocation")
}

// between is a client that does something between the two parts of a look-up.
type between struct {
	rueidis.Client
	do func()
}

func (c *between) DoMultiCache(ctx context.Context, multi ...rueidis.CacheableTTL) []rueidis.RedisResult {
	first := c.Client.DoMultiCache(ctx, multi[0])
	c.do()
	return append(first, c.Client.DoMultiCache(ctx, multi[1:]...)...)
}

// The token is remembered from when its holder was blocked. It is revoked, and the
// holder unblocked, before the identity is read.
func TestWhatIsRememberedIsNotMixedWithWhatIsNewer(t *testing.T) {
	t.Parallel()
	o := redis.Options{Prefix: redistest.Prefix(), CacheTTL: time.Hour}
	writer := newStore(t, newSingleClient(t), o)
	fill(t, writer)
	block := func(is bool) {
		require.NoError(t, writer.UpdateIdentity(t.Context(), alice, func(i *store.Identity) error { i.Blocked = is; return nil }))
	}
	block(true)
	client := &between{Client: newSingleClient(t), do: func() {
		require.NoError(t, writer.UpdateToken(t.Context(), "a", revoke))
		block(false)
	}}
	reader := newStore(t, client, o)
	token := client.B().Get().Key(writer.TokenKey(alice, "a")).Cache().ToStaticTTL()
	require.NoError(t, client.DoCache(t.Context(), token, time.Hour).Error())
	key, err := reader.NamedKey(t.Context(), "a")
	require.NoError(t, err)
	require.True(t, key.Revoked, "a token passes that was never good")
	require.Equal(t, store.HolderActive, key.Holder)
}

// The writer sees to it that at no time the token is good and its holder active.
func TestLookUpsAreOfOneTime(t *testing.T) {
	t.Parallel()
	for name, ttl := range map[string]time.Duration{"uncached": -1, "cached": time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := redis.Options{Prefix: redistest.Prefix(), CacheTTL: ttl}
			writer, reader := newStore(t, newSingleClient(t), o), newStore(t, newSingleClient(t), o)
			fill(t, writer)
			revoked := func(is bool) error {
				return writer.UpdateToken(t.Context(), "a", func(t *store.Token) error { t.Revoked = is; return nil })
			}
			blocked := func(is bool) error {
				return writer.UpdateIdentity(t.Context(), alice, func(i *store.Identity) error { i.Blocked = is; return nil })
			}
			require.NoError(t, revoked(true))
			written := make(chan error, 1)
			go func() {
				var err error
				for range 1000 {
					err = errors.Join(err, blocked(true), revoked(false), revoked(true), blocked(false))
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
}
