package macaroon

import (
	"context"
	"fmt"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// handClock is a clock that only the test moves.
type handClock struct{ now time.Time }

func newTestThrottle(capacity int) (*throttle, *handClock) {
	c := &handClock{time.Unix(1_700_000_000, 0)}
	return newThrottle(capacity, 6*time.Second, func() time.Time { return c.now }), c
}

// try makes one attempt and finishes it. It returns the time to wait if the
// attempt is throttled.
func (t *throttle) try(tb testing.TB, failed bool, keys ...string) (wait time.Duration) {
	tb.Helper()
	var list []throttleKey
	for _, name := range keys {
		list = append(list, throttleKey{name: name})
	}
	finish, err := t.attempt(tb.Context(), list...)
	if err != nil {
		require.IsType(tb, ThrottledError{}, err)
		return err.(ThrottledError).Wait
	}
	finish(failed)
	return 0
}

func TestThrottleAllowsTheConfiguredFailures(t *testing.T) {
	t.Parallel()
	th, c := newTestThrottle(3)
	for range 3 {
		require.Zero(t, th.try(t, true, "alice"))
	}
	require.Equal(t, 6*time.Second, th.try(t, true, "alice"))
	require.Equal(t, 6*time.Second, th.try(t, false, "alice"), "waiting is not a failure, and costs nothing")
	require.Zero(t, th.try(t, true, "bob"))

	c.now = c.now.Add(4 * time.Second)
	require.Equal(t, 2*time.Second, th.try(t, true, "alice"))
	c.now = c.now.Add(2 * time.Second)
	require.Zero(t, th.try(t, true, "alice"), "one more after the interval")
	require.NotZero(t, th.try(t, true, "alice"))
	c.now = c.now.Add(time.Hour)
	for range 3 {
		require.Zero(t, th.try(t, true, "alice"))
	}
	require.NotZero(t, th.try(t, true, "alice"), "no more than the capacity is filled in")
}

func TestThrottleRefundsSuccesses(t *testing.T) {
	t.Parallel()
	th, _ := newTestThrottle(2)
	for range 100 {
		require.Zero(t, th.try(t, false, "alice", "address"))
	}
	require.Empty(t, th.buckets, "who never fails takes no memory")
	require.Zero(t, th.try(t, true, "alice"))
	require.Zero(t, th.try(t, false, "alice"))
	require.Zero(t, th.try(t, true, "alice"))
	require.NotZero(t, th.try(t, true, "alice"), "a success does not make up for failures")
}

func TestThrottleIsForEachKey(t *testing.T) {
	t.Parallel()
	th, _ := newTestThrottle(2)
	require.Zero(t, th.try(t, true, "alice", "home"))
	require.Zero(t, th.try(t, true, "bob", "home"))
	require.NotZero(t, th.try(t, true, "mia", "home"), "the address has failed twice")
	require.Zero(t, th.try(t, true, "mia", "work"), "and mia not at all")
	require.Zero(t, th.try(t, true, "mia", "library"))
	require.NotZero(t, th.try(t, true, "mia", "bus"))
	require.Zero(t, th.try(t, true, "olga", "bus"), "a refused attempt takes from no key")
	require.Zero(t, th.try(t, true, "olga", "bus"))
}

// The limit of a shared key is a multiple of that of a user, and it refills
// that many times faster.
func TestThrottleOfASharedKey(t *testing.T) {
	t.Parallel()
	th, c := newTestThrottle(3)
	try := func() error {
		finish, err := th.attempt(t.Context(), throttleKey{"campus", 4})
		if err == nil {
			finish(true)
		}
		return err
	}
	for range 12 {
		require.NoError(t, try())
	}
	require.Equal(t, ThrottledError{1500 * time.Millisecond}, try())
	c.now = c.now.Add(6 * time.Second)
	for range 4 {
		require.NoError(t, try())
	}
	require.Error(t, try())
}

func TestThrottleWhenTheClockIsSetBack(t *testing.T) {
	t.Parallel()
	th, c := newTestThrottle(1)
	require.Zero(t, th.try(t, true, "alice"))
	c.now = c.now.Add(-24 * time.Hour)
	require.Equal(t, 6*time.Second, th.try(t, true, "alice"), "nothing is filled in")
	c.now = c.now.Add(6 * time.Second)
	require.Zero(t, th.try(t, true, "alice"), "and the wait is no longer for it")
}

func TestThrottleWithHugeLimits(t *testing.T) {
	t.Parallel()
	th := newThrottle(math.MaxInt, time.Hour, time.Now)
	for range 100 {
		require.Zero(t, th.try(t, true, "alice"))
	}
}

func TestThrottleOff(t *testing.T) {
	t.Parallel()
	th, _ := newTestThrottle(0)
	for range 100 {
		require.Zero(t, th.try(t, true, "alice"))
	}
}

func TestThrottleBoundsItsMemory(t *testing.T) {
	t.Parallel()
	th, _ := newTestThrottle(1)
	for i := range maxBuckets + 100 {
		th.try(t, true, fmt.Sprint(i))
	}
	require.Len(t, th.buckets, maxBuckets)
}

// Concurrent attempts count before their outcome is known. Attempts beyond the
// limit wait for outcomes, and are rejected only because of failures.
func TestThrottleCountsAttemptsInFlight(t *testing.T) {
	t.Parallel()
	for _, failed := range []bool{true, false} {
		t.Run(fmt.Sprint("failed ", failed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				th, _ := newTestThrottle(3)
				var mu sync.Mutex
				var wg sync.WaitGroup
				admitted, refused, most, now := 0, 0, 0, 0
				for range 20 {
					wg.Go(func() {
						finish, err := th.attempt(t.Context(), throttleKey{name: "alice"})
						mu.Lock()
						if err != nil {
							refused++
							mu.Unlock()
							return
						}
						admitted++
						now++
						most = max(most, now)
						mu.Unlock()
						<-time.After(time.Second) // of the bubble: no time at all
						mu.Lock()
						now--
						mu.Unlock()
						finish(failed)
					})
				}
				wg.Wait()
				require.Equal(t, 3, most)
				if failed {
					require.Equal(t, []int{3, 17}, []int{admitted, refused})
				} else {
					require.Equal(t, []int{20, 0}, []int{admitted, refused})
				}
			})
		})
	}
}

func TestThrottleWaitsNoLongerThanTheRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		th, _ := newTestThrottle(1)
		_, err := th.attempt(t.Context(), throttleKey{name: "alice"})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = th.attempt(ctx, throttleKey{name: "alice"})
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}
