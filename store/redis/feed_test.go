package redis_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/redistest"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/redis"
)

// newProxy returns a proxy in front of a new server.
func newProxy(t *testing.T) *redistest.Proxy {
	t.Helper()
	server := redistest.New(t)
	proxy, err := redistest.NewProxy(server.Addr)
	require.NoError(t, err)
	t.Cleanup(proxy.Close)
	return proxy
}

// newProxyClient returns a client that sends nothing on its own.
func newProxyClient(t *testing.T, proxy *redistest.Proxy) rueidis.Client {
	t.Helper()
	option := rueidis.ClientOption{InitAddress: []string{proxy.Addr}}
	option.Dialer.KeepAlive = time.Hour // which is also the time between pings
	option.ConnWriteTimeout = time.Minute
	return newClient(t, option)
}

func TestSlowObserverIsNotifiedOfMissedChanges(t *testing.T) {
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

// The feed does not wait for the next role check.
func TestLostConnectionIsReportedAtOnce(t *testing.T) {
	t.Parallel()
	proxy := newProxy(t)
	changes := watch(t, newStore(t, newProxyClient(t, proxy), redis.Options{Prefix: "p"}))
	fastest := testTimeout
	for range 5 {
		start := time.Now()
		proxy.Cut()
		awaitKind(t, changes, store.FeedDown)
		fastest = min(fastest, time.Since(start))
		awaitKind(t, changes, store.FeedUp)
	}
	require.Less(t, fastest, redis.RoleCheck/2)
}

// The network drops all packets and closes no connection.
func TestDeadConnectionIsReportedWithinTenSeconds(t *testing.T) {
	t.Parallel()
	proxy := newProxy(t)
	changes := watch(t, newStore(t, newProxyClient(t, proxy), redis.Options{Prefix: "p"}))
	start := time.Now()
	proxy.Hold()
	awaitKind(t, changes, store.FeedDown)
	require.Less(t, time.Since(start), 10*time.Second)
	proxy.Release()
	awaitKind(t, changes, store.FeedUp)
}
