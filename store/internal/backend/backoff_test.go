package backend

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestBackoffIsBounded checks the longest of many pauses for each attempt.
func TestBackoffIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const first, longest = time.Millisecond, 20 * time.Millisecond
		var most [100]time.Duration
		for range 200 {
			b := Backoff{First: first, Longest: longest}
			for attempt := range most {
				start := time.Now()
				require.NoError(t, b.Pause(t.Context()))
				most[attempt] = max(most[attempt], time.Since(start))
			}
		}
		for attempt, pause := range most {
			limit := min(first<<min(attempt, 10), longest)
			require.Less(t, pause, limit, "attempt %d", attempt)
			require.Greater(t, pause, limit/2, "attempt %d does not spread", attempt)
		}
	})
}

func TestBackoffEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		b := Backoff{First: 1000 * time.Hour, Longest: 1000 * time.Hour}
		require.ErrorIs(t, b.Pause(ctx), context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(start))
	})
}
