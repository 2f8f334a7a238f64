package macaroontest

import (
	"sync"
	"time"
)

// Clock is a clock that stands still, at [Start], until the test moves it.
//
// Only the authority of the harness reads it. Make time caveats from
// [Clock.Now]: one from time.Now is years ahead of the harness. A handler under
// test that compares times itself must be given the Now method of this clock.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now returns the time of the clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Set moves the clock to a time, forth or back.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// Advance moves the clock on, or with a negative duration back.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
