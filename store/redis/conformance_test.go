package redis_test

import (
	"testing"
	"time"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/redis"
	"github.com/onezone-go/onezone/store/storetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	client := newSingleClient(t)
	storetest.Run(t, func(t *testing.T) store.Store { return newStore(t, client, redis.Options{CallTimeout: time.Minute}) })
}

func TestConformanceInCluster(t *testing.T) {
	t.Parallel()
	client := newClusterClient(t)
	storetest.Run(t, func(t *testing.T) store.Store { return newStore(t, client, redis.Options{}) })
}
