package redis_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/redistest"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/redis"
)

// TestFloodDisconnectsTheFeedAtMostOnceASecond floods a channel faster than the
// observer handles changes.
func TestFloodDisconnectsTheFeedAtMostOnceASecond(t *testing.T) {
	t.Parallel()
	client, prefix := newSingleClient(t), redistest.Prefix()
	s := newStore(t, client, redis.Options{Prefix: prefix})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	t.Cleanup(func() { cancel(); <-ended })
	var ups atomic.Int64
	go func() {
		defer close(ended)
		_ = s.Watch(ctx, func(c store.Change) {
			if c.Kind == store.FeedUp {
				ups.Add(1)
			} else {
				<-time.After(time.Millisecond)
			}
		})
	}()
	eventually(t, func() bool { return ups.Load() > 0 }, "the feed is up")
	channels, err := client.Do(ctx, client.B().PubsubShardchannels().Pattern(prefix+"*").Build()).AsStrSlice()
	require.NoError(t, err)
	require.NotEmpty(t, channels)
	start := time.Now()
	flood := make(rueidis.Commands, 500)
	for time.Since(start) < 2*time.Second {
		for i := range flood {
			flood[i] = client.B().Spublish().Channel(channels[0]).Message("tsomebody's").Build()
		}
		for _, result := range client.DoMulti(ctx, flood...) {
			require.NoError(t, result.Error())
		}
	}
	require.LessOrEqual(t, ups.Load(), int64(time.Since(start)/time.Second)+1, "FeedUp was reported too often")
}
