package postgres_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/pgtest"
	"github.com/onezone-go/onezone/store/postgres"
)

func TestOpenSetsDefaultsThatTheURLOmits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		url           string
		connect, ping time.Duration
		primaryOnly   bool
	}{
		{"postgres://a/b", 2 * time.Second, time.Second, false},
		{"host=a dbname=b", 2 * time.Second, time.Second, false},
		{"postgres://a/b?connect_timeout=7&pool_ping_timeout=3s", 7 * time.Second, 3 * time.Second, false},
		{"postgres://a,c/b", 2 * time.Second, time.Second, true},
		{"postgres://a:1,a:2/b", 2 * time.Second, time.Second, true},
		{"postgres://a/b?sslmode=prefer", 2 * time.Second, time.Second, false}, // tried twice, and one host
		{"postgres://a,c/b?target_session_attrs=any", 2 * time.Second, time.Second, false},
	} {
		config, err := postgres.ParseURL(c.url)
		require.NoError(t, err, c.url)
		require.Equal(t, c.connect, config.ConnConfig.ConnectTimeout, c.url)
		require.Equal(t, c.ping, config.PingTimeout, c.url)
		require.Equal(t, time.Minute, config.MaxConnIdleTime, c.url)
		require.Equal(t, c.primaryOnly, config.ConnConfig.ValidateConnect != nil, c.url)
	}
}

// TestConnectionsAtRest counts the connections after a burst of calls.
func TestConnectionsAtRest(t *testing.T) {
	t.Parallel()
	pool := newPool(t, nil)
	url := named(t, "resting") + "&pool_max_conn_idle_time=100ms&pool_health_check_period=50ms" // instead of minutes
	s, err := postgres.Open(t.Context(), url, postgres.Options{Schema: newSchema(t, pool)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Migrate(t.Context()))
	watch(t, s)
	for _, err := range atOnce(32, func(int) error { return second(s.NamedKey(t.Context(), "a")) }) {
		require.ErrorIs(t, err, errors.IDNotFound)
	}
	eventually(t, func() bool {
		n := backends(t, pool, "resting")
		return n > 0 && n <= 3
	}, "idle connections are closed")
}

// TestOpenFindsTheHostThatAnswers lists hosts first that do not answer.
func TestOpenFindsTheHostThatAnswers(t *testing.T) {
	t.Parallel()
	at, err := url.Parse(pgtest.URL(t))
	require.NoError(t, err)
	for range 6 { // which take 12 seconds one after the other
		at.Host = silent(t) + "," + at.Host
	}
	at.Host = "127.0.0.1:1," + at.Host
	start := time.Now()
	s, err := postgres.Open(t.Context(), at.String(), postgres.Options{Schema: newSchema(t, newPool(t, nil))})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Migrate(t.Context()))
	require.Less(t, time.Since(start), 2*slack)
	// The next connections use the last host at once.
	start = time.Now()
	for _, err := range atOnce(4, func(int) error { return second(s.NamedKey(t.Context(), "a")) }) {
		require.ErrorIs(t, err, errors.IDNotFound)
	}
	require.Less(t, time.Since(start), slack)
}

func TestOpenRejectsAnInvalidFeedURL(t *testing.T) {
	t.Parallel()
	const bad = "postgres://user:topsecret@[::1/database"
	_, err := postgres.Open(t.Context(), pgtest.URL(t), postgres.Options{FeedURL: bad})
	require.ErrorIs(t, err, errors.IDBadData)
	require.ErrorContains(t, err, "feedUrl")
	require.NotContains(t, err.Error(), "topsecret")

	s := postgres.New(newPool(t, nil), postgres.Options{FeedURL: bad})
	require.ErrorIs(t, s.Watch(t.Context(), observeNothing), errors.IDBadData)
}
