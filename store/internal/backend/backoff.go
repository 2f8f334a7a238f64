package backend

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/onezone-go/onezone/internal/duration"
)

// Backoff computes the pauses between attempts. Pauses are random, so that
// concurrent callers do not collide again.
type Backoff struct {
	First, Longest time.Duration // upper limits of the first and of later pauses; each is twice the one before

	attempts int
}

// Pause waits until the next attempt. It returns the error of ctx if that is
// done first.
func (b *Backoff) Pause(ctx context.Context) error {
	limit := min(b.First<<min(b.attempts, 20), b.Longest)
	b.attempts++
	return duration.Sleep(ctx, rand.N(limit))
}
