package redis

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/onezone-go/onezone/errors"
)

// untilFresh calls try, which reads and then commits what it makes of that, until
// nothing that it read changed meanwhile.
func (s *Store) untilFresh(ctx context.Context, something string, try func() error) error {
	for b := (backoff{}); ; {
		if err := s.ready(ctx, something); err != nil {
			return err
		}
		if err := try(); !errors.Is(err, errStale) {
			return err
		}
		if err := b.pause(ctx); err != nil {
			return during(something, err)
		}
	}
}

// backoff paces the attempts of those who change the same thing, or wait for a
// server. The zero backoff is ready.
type backoff struct{ attempts int }

const (
	firstPause = 200 * time.Microsecond // on average twice the time of a write
	lastPause  = 20 * time.Millisecond
)

// pause waits for a random time that grows with the attempts, or until ctx is
// done, of which it returns the error.
func (b *backoff) pause(ctx context.Context) error {
	limit := min(firstPause<<min(b.attempts, 20), lastPause)
	b.attempts++
	return sleep(ctx, rand.N(limit))
}

// sleep waits for the time, or until ctx is done, of which it returns the error.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
