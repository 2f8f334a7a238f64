package main

import (
	"context"
	"log/slog"
	"time"
)

const (
	// maxClockDifference is the difference of clocks that is not worth a
	// warning.
	maxClockDifference = time.Second
	// clockInterval is the time between comparisons.
	clockInterval = 10 * time.Minute
)

// clocked is a store on a server with a clock of its own.
type clocked interface {
	ServerTime(ctx context.Context) (time.Time, error)
}

// compareClocks compares the clock of the store's server, if it has one, with
// ours until ctx is done.
func (v *service) compareClocks(ctx context.Context) {
	if v.opened.clock == nil {
		return
	}
	tick := time.NewTicker(clockInterval)
	defer tick.Stop()
	for {
		limited, cancel := context.WithTimeout(ctx, v.settings.storeTimeout)
		compareClock(limited, v.opened.clock, time.Now, v.log)
		cancel()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// compareClock logs a warning if the clocks differ by more than
// maxClockDifference. Other replicas that use the store are likely to have its
// time, and then disagree about which tokens have expired.
func compareClock(ctx context.Context, s clocked, now func() time.Time, log *slog.Logger) {
	before := now()
	theirs, err := s.ServerTime(ctx)
	after := now()
	if err != nil {
		return // others report that the store is down
	}
	difference := max(before.Sub(theirs), theirs.Sub(after)) // at least
	if difference > maxClockDifference {
		log.WarnContext(ctx, "the clocks of this machine and of the store differ, and tokens may expire too early or too late: "+
			"synchronize them, or set --clock-leeway", "difference_ms", milliseconds(difference))
	}
}
