package redis_test

import (
	"testing"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/redistest"
	"github.com/onezone-go/onezone/store/redis"
)

// TestServersThatMayEvictKeysAreRejected opens stores with and without
// AllowEviction.
func TestServersThatMayEvictKeysAreRejected(t *testing.T) {
	t.Parallel()
	server := redistest.New(t)
	url := "redis://" + server.Addr
	set := func(name, value string) {
		t.Helper()
		_, err := server.Do("CONFIG", "SET", name, value)
		require.NoError(t, err)
	}
	for _, c := range []struct {
		maxmemory, policy string
		accepted          bool
	}{
		{"0", "noeviction", true},
		{"100mb", "noeviction", true},
		{"0", "allkeys-lru", true}, // without a limit nothing is evicted
		{"100mb", "allkeys-lru", false},
		{"100mb", "allkeys-random", false},
		{"100mb", "volatile-ttl", false},
	} {
		set("maxmemory", c.maxmemory)
		set("maxmemory-policy", c.policy)
		client := newClient(t, rueidis.MustParseURL(url))
		s, err := redis.Open(t.Context(), url, redis.Options{})
		migrated := redis.New(client, redis.Options{}).Migrate(t.Context())
		if c.accepted {
			require.NoError(t, err, "%+v", c)
			require.NoError(t, s.Close())
			require.NoError(t, migrated, "%+v", c)
			continue
		}
		for _, err := range []error{err, migrated} {
			requireOperational(t, err, "%+v", c)
			require.ErrorContains(t, err, "maxmemory-policy is "+c.policy)
			require.ErrorContains(t, err, "set maxmemory-policy to noeviction")
			require.ErrorContains(t, err, "Options.AllowEviction")
		}
		fill(t, open(t, url, redis.Options{AllowEviction: true, Prefix: redistest.Prefix()}))
	}
}

func TestClustersWithAServerThatMayEvictKeysAreRejected(t *testing.T) {
	t.Parallel()
	cluster := redistest.NewCluster(t)
	url := "redis://" + cluster.Servers[0].Addr
	open(t, url, redis.Options{})
	for setting, value := range map[string]string{"maxmemory": "100mb", "maxmemory-policy": "allkeys-lfu"} {
		_, err := cluster.Servers[2].Do("CONFIG", "SET", setting, value)
		require.NoError(t, err)
	}
	_, err := redis.Open(t.Context(), url, redis.Options{})
	require.ErrorContains(t, err, "maxmemory-policy is allkeys-lfu")
	open(t, url, redis.Options{AllowEviction: true})
}

// asUser returns the URL of a user of the server with the permissions.
func asUser(t *testing.T, server *redistest.Server, rights ...string) string {
	t.Helper()
	_, err := server.Do(append([]string{"ACL", "SETUSER", "limited", "on", ">pw", "~*", "&*", "+@all"}, rights...)...)
	require.NoError(t, err)
	return "redis://limited:pw@" + server.Addr
}

func TestServersThatDoNotReportEvictionAreRejected(t *testing.T) {
	t.Parallel()
	url := asUser(t, redistest.New(t), "-info", "-config")
	_, err := redis.Open(t.Context(), url, redis.Options{})
	requireOperational(t, err)
	require.ErrorContains(t, err, "allow the command INFO")
	require.ErrorContains(t, err, "maxmemory-policy")
	require.NotContains(t, err.Error(), "pw@")
	fill(t, open(t, url, redis.Options{AllowEviction: true}))

	// INFO works without CONFIG, as at many providers.
	open(t, asUser(t, redistest.New(t), "-config"), redis.Options{})
}

// TestOpenedStoresNeedNoTracking uses servers and users without CLIENT
// TRACKING.
func TestOpenedStoresNeedNoTracking(t *testing.T) {
	t.Parallel()
	url := asUser(t, redistest.New(t), "-client|tracking")
	s := open(t, url, redis.Options{})
	fill(t, s)
	for range 2 {
		_, err := s.NamedKey(t.Context(), "a")
		require.NoError(t, err)
	}
	changes := watch(t, s)
	require.NoError(t, s.DeleteToken(t.Context(), "a"))
	await(t, changes, "the deletion is reported")
}
