package redis_test

import (
	"testing"

	"github.com/redis/rueidis"

	"github.com/onezone-go/onezone/internal/redistest"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/redis"
	"github.com/onezone-go/onezone/store/storetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	client := newSingleClient(t)
	storetest.Run(t, func(t *testing.T) store.Store { return newStore(t, client, redis.Options{}) })
}

func TestConformanceWithoutCache(t *testing.T) {
	t.Parallel()
	client := newSingleClient(t)
	storetest.Run(t, func(t *testing.T) store.Store { return newStore(t, client, redis.Options{CacheTTL: -1}) })
}

func TestConformanceOfClientWithoutCache(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		return // it differs from TestConformanceWithoutCache in how the cache is turned off
	}
	option := rueidis.MustParseURL(redistest.URL(t))
	option.DisableCache = true
	client := newClient(t, option)
	storetest.Run(t, func(t *testing.T) store.Store { return newStore(t, client, redis.Options{}) })
}

func TestConformanceInCluster(t *testing.T) {
	t.Parallel()
	client := newClusterClient(t)
	storetest.Run(t, func(t *testing.T) store.Store { return newStore(t, client, redis.Options{}) })
}
