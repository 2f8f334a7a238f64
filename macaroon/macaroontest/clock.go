package macaroontest

import (
	"sync"
	"time"
)

// Clock is a clock that only the test moves. It starts at [Start].
//
// Only the authority of the harness uses it. Make time caveats from
// [Clock.Now]: time.Now is years ahead of the harness. If the handler under
// test compares times itself, pass it the Now method of this clock.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now returns the current time of the clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Set sets the clock to a time, which may be in the past.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// Advance moves the clock forward, or back if the duration is negative.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
