package backend

import (
	"context"
	"math/rand/v2"
	"time"
)

// Backoff paces the attempts of those who are in each other's way, or wait for a
// server. Pauses are random, so that they do not meet again.
type Backoff struct {
	First, Longest time.Duration // of the limits of pauses: each is twice the one before

	attempts int
}

// Pause waits until the next attempt, or until ctx is done, of which it returns
// the error.
func (b *Backoff) Pause(ctx context.Context) error {
	limit := min(b.First<<min(b.attempts, 20), b.Longest)
	b.attempts++
	return Sleep(ctx, rand.N(limit))
}

// Sleep waits for the time, or until ctx is done, of which it returns the error.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
