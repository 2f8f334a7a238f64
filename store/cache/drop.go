package cache

import (
	"time"

	"github.com/maypok86/otter/v2"
)

// change drops what depends on the key. What is dropped is no answer any more as
// soon as the version is another; the entry is removed for the memory, and because
// it holds a secret. Entries that depend on an identity are removed by a sweep.
func (c *cached) change(k key) {
	c.versions.change(k)
	c.known.Invalidate(k)
	c.unknown.Invalidate(k)
}

// keepCurrent adds the entry, unless something that it depends on has changed since
// it was read: change may have removed what it found before.
func (c *cached) keepCurrent(in *otter.Cache[key, *entry], k key, e *entry) {
	in.Set(k, e)
	if !c.isCurrent(e) {
		in.Invalidate(k)
	}
	c.planSweep()
}

// planSweep has the entries swept when as much time has passed as one may be kept,
// by the clock of the cache if there are look-ups, and by the timer if there are
// none.
func (c *cached) planSweep() {
	now, last := int64(c.now()), c.swept.Load()
	if age := now - last; (age < 0 || age >= int64(c.options.TTL)) && c.swept.CompareAndSwap(last, now) && c.begin() {
		go func() {
			defer c.running.Done()
			c.sweep()
		}()
	}
	if c.sweepPlanned.CompareAndSwap(false, true) {
		c.sweeper.Reset(max(c.options.TTL, time.Millisecond))
	}
}

// sweepIdle is what the timer calls, whether or not anybody looks up anything. It
// leaves an empty cache alone.
func (c *cached) sweepIdle() {
	if !c.begin() {
		return
	}
	defer c.running.Done()
	c.swept.Store(int64(c.now()))
	c.sweepPlanned.Store(false)
	if c.sweep() {
		c.planSweep()
	}
}

// sweep removes the entries that are no answers any more, and reports whether any
// are left.
func (c *cached) sweep() (left bool) {
	for _, in := range []*otter.Cache[key, *entry]{c.known, c.unknown} {
		for k, e := range in.All() {
			if c.isGood(e) {
				left = true
				continue
			}
			in.ComputeIfPresent(k, func(now *entry) (*entry, otter.ComputeOp) {
				if now != e {
					return now, otter.CancelOp
				}
				return nil, otter.InvalidateOp
			})
		}
	}
	return left
}
