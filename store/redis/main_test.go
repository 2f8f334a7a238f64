package redis_test

import (
	"os"
	"testing"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/redistest"
	"github.com/onezone-go/onezone/store/redis"
)

func TestMain(m *testing.M) {
	code := m.Run()
	redistest.Cleanup()
	os.Exit(code)
}

// newClient returns a client that is closed with the test.
func newClient(tb testing.TB, option rueidis.ClientOption) rueidis.Client {
	tb.Helper()
	option.RingScaleEachConn, option.ReadBufferEachConn, option.WriteBufferEachConn = 8, 1<<15, 1<<15
	client, err := rueidis.NewClient(option)
	require.NoError(tb, err)
	tb.Cleanup(client.Close)
	return client
}

// newSingleClient returns a client of the server that all tests share.
func newSingleClient(tb testing.TB) rueidis.Client {
	tb.Helper()
	return newClient(tb, rueidis.MustParseURL(redistest.URL(tb)))
}

// newClusterClient returns a client of the cluster that all tests share.
func newClusterClient(tb testing.TB) rueidis.Client {
	tb.Helper()
	return newClient(tb, rueidis.ClientOption{InitAddress: redistest.ClusterAddrs(tb), ShuffleInit: true})
}

// open returns a migrated store over its own connections.
func open(t *testing.T, url string, o redis.Options) *redis.Store {
	t.Helper()
	s, err := redis.Open(t.Context(), url, o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	require.NoError(t, s.Migrate(t.Context()))
	return s
}

// newStore returns a store over the client. It is empty unless the options name
// a used prefix.
func newStore(tb testing.TB, client rueidis.Client, o redis.Options) *redis.Store {
	tb.Helper()
	if o.Prefix == "" {
		o.Prefix = redistest.Prefix()
	}
	s := redis.New(client, o)
	tb.Cleanup(func() { _ = s.Close() })
	require.NoError(tb, s.Migrate(tb.Context()))
	return s
}
