package macaroon_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/macaroon"
)

// BenchmarkLastUse reports the time of verifications that record uses as a
// multiple of that without: the ratio of the medians of alternating rounds.
func BenchmarkLastUse(b *testing.B) {
	text := benchText(b, 0, 3)
	for _, c := range []struct {
		name    string
		callers int
	}{{"one caller", 1}, {"two callers", 2}} {
		b.Run(c.name, func(b *testing.B) {
			off, on := bench(b, 1), bench(b, 1, macaroon.WithLastUse(macaroon.LastUse{}))
			defer on.Close(context.Background())
			b.ReportMetric(float64(medianRatio(b, on, off, c.callers, text)), "on/off")
		})
	}
}

// medianRatio returns the ratio of the median times of rounds of verifications.
func medianRatio(b *testing.B, on, off *macaroon.Authority, callers int, text string) float64 {
	const rounds, each = 400, 500
	var times [2][]time.Duration
	for b.Loop() {
		for i := range 2 * rounds {
			a := off
			if i%2 == 1 {
				a = on
			}
			start := time.Now()
			var wg sync.WaitGroup
			for range callers {
				wg.Go(func() {
					for range each {
						if _, err := verifyText(a, text); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			times[i%2] = append(times[i%2], time.Since(start))
		}
	}
	median := func(of []time.Duration) float64 {
		slices.Sort(of)
		return float64(of[len(of)/2])
	}
	return median(times[1]) / median(times[0])
}

func TestRecordingUsesAllocatesNothing(t *testing.T) {
	a := bench(t, 1, macaroon.WithLastUse(macaroon.LastUse{}))
	defer a.Close(context.Background())
	text := benchText(t, 0, 3)
	for range 100 { // recognized, and counted in the stripes
		_, err := verifyText(a, text)
		require.NoError(t, err)
	}
	require.Zero(t, testing.AllocsPerRun(2000, func() { _, _ = verifyText(a, text) }))
	require.Greater(t, a.UseStats().Recorded, uint64(1000))
}
