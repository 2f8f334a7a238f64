package backend

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/duration"
	"github.com/onezone-go/onezone/store"
)

func TestPayloads(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 512)
	for payload, want := range map[string]store.Change{
		"ta":             {Kind: store.TokenChanged, TokenID: "a"},
		"t" + long:       {Kind: store.TokenChanged, TokenID: long},
		"kusr-alice":     {Kind: store.TemporaryChanged, Subject: caveat.User("alice")},
		"iprv-" + long:   {Kind: store.IdentityChanged, Subject: caveat.Provider(long)},
		"iusr-usr-alice": {Kind: store.IdentityChanged, Subject: caveat.User("usr-alice")},
	} {
		got, ok := ParsePayload(payload)
		require.True(t, ok, payload)
		require.Equal(t, want, got, payload)
	}
	for _, payload := range []string{"", "*", "x", "k", "i", "kalice", "Ta", "usr-alice", " ta"} {
		_, ok := ParsePayload(payload)
		require.False(t, ok, payload)
	}
}

// ready is an open store.
type ready struct{}

func (ready) Ready() error { return nil }

var (
	up   = store.Change{Kind: store.FeedUp}
	down = store.Change{Kind: store.FeedDown}
	some = store.Change{Kind: store.TokenChanged, TokenID: "a"}
)

// TestFeedUpIsReportedOncePerInterval uses a feed that reconnects all the time.
func TestFeedUpIsReportedOncePerInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10500*time.Millisecond)
		defer cancel()
		attempts, ups, wasUp := 0, 0, false
		err := Feed{Readier: ready{}, Closed: context.Background(), Listen: func(ctx context.Context, q *Queue) error {
			attempts++
			q.Up()
			q.Gap()
			return nil
		}}.Watch(ctx, func(c store.Change) {
			require.NotEqual(t, wasUp, c == up, "the same state was delivered twice")
			if wasUp = c == up; wasUp {
				ups++
			}
		})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "watch the store")
		require.LessOrEqual(t, ups, 11)
		require.Greater(t, ups, 2)
		require.Less(t, attempts, 60, "the feed is retried without a pause")
	})
}

// TestSlowObserverIsNotifiedOfMissedChanges uses an observer that hangs while
// the queue overflows.
func TestSlowObserverIsNotifiedOfMissedChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var delivered []store.Change
		hang := make(chan struct{})
		err := Feed{Readier: ready{}, Closed: context.Background(), Listen: func(ctx context.Context, q *Queue) error {
			q.Up()
			q.Push(some)
			synctest.Wait()
			for range maxQueue + 1 {
				q.Push(some)
			}
			close(hang)
			q.Flush(ctx)
			require.NoError(t, duration.Sleep(ctx, 2*time.Second))
			q.Push(some)
			q.Flush(ctx)
			cancel()
			return nil
		}}.Watch(ctx, func(c store.Change) {
			delivered = append(delivered, c)
			if c == some && len(delivered) == 2 {
				<-hang
			}
		})
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, []store.Change{up, some, down, up, some}, delivered)
	})
}

// TestFlushWaitsForTheObserver uses a slow observer.
func TestFlushWaitsForTheObserver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		start := time.Now()
		_ = Feed{Readier: ready{}, Closed: context.Background(), Listen: func(ctx context.Context, q *Queue) error {
			q.Up()
			for range 10 {
				q.Push(some)
			}
			q.Flush(ctx)
			require.Equal(t, 11*time.Second, time.Since(start))
			cancel()
			return nil
		}}.Watch(ctx, func(store.Change) { <-time.After(time.Second) })
		require.Error(t, ctx.Err())
	})
}

func TestFeedEndsWithTheStoreOrWithAPermanentError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		impossible := errors.New("there is no feed")
		feed := Feed{Readier: ready{}, Closed: context.Background(), Listen: func(context.Context, *Queue) error { return impossible }}
		require.ErrorIs(t, feed.Watch(t.Context(), func(store.Change) {}), impossible)
		require.ErrorIs(t, feed.Watch(t.Context(), nil), errors.IDBadData)

		closed, closeStore := context.WithCancel(t.Context())
		feed.Closed = closed
		feed.Listen = func(ctx context.Context, q *Queue) error {
			q.Up()
			<-ctx.Done()
			return nil
		}
		var delivered []store.Change
		go func() {
			<-time.After(time.Second)
			closeStore()
		}()
		require.Error(t, feed.Watch(t.Context(), func(c store.Change) { delivered = append(delivered, c) }))
		require.Equal(t, []store.Change{up, down}, delivered, "a cache would keep its answers")
	})
}
