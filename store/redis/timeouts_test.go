package redis_test

import (
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/store/redis"
)

// The failovers of internal/e2e/failover depend on these defaults.
func TestTimeoutsOfTheURLWin(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]struct{ connect, answer time.Duration }{
		"redis://127.0.0.1?master_set=tokens":                                      {2 * time.Second, 3 * time.Second},
		"redis://127.0.0.1?master_set=tokens&dial_timeout=500ms&write_timeout=20s": {500 * time.Millisecond, 20 * time.Second},
	} {
		o, err := rueidis.ParseURL(url)
		require.NoError(t, err)
		redis.SetDefaults(&o)
		require.Equal(t, want.connect, o.Dialer.Timeout, url)
		require.Equal(t, want.connect, o.Sentinel.Dialer.Timeout, url)
		require.Equal(t, want.answer, o.ConnWriteTimeout, url)
		require.NotZero(t, o.Sentinel.Dialer.KeepAlive, "rueidis would not ping the Sentinel")
		require.NotZero(t, o.Sentinel.TopologyRefreshInterval, "a missed message about a new master would be missed for ever")
	}
}
