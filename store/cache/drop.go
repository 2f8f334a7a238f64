package cache

import (
	"time"

	"github.com/maypok86/otter/v2"
)

// change drops the answers that depend on the key. The new version alone
// invalidates them; the entry is also evicted to free memory and its secret.
// Entries that depend on an identity are evicted by a sweep.
func (c *cached) change(k key) {
	c.versions.change(k)
	c.known.Invalidate(k)
	c.unknown.Invalidate(k)
}

// setIfCurrent adds the entry. It evicts it again if something that it depends
// on has changed since it was read, because change may have run before.
func (c *cached) setIfCurrent(in *otter.Cache[key, *entry], k key, e *entry) {
	in.Set(k, e)
	if !c.isCurrent(e) {
		in.Invalidate(k)
	}
	c.planSweep()
}

// planSweep starts a sweep if the last one is a TTL ago by the clock of the
// cache. It also sets the timer for times without look-ups.
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

// sweepIdle is the function of the timer. It does not set the timer again if
// the cache is empty.
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

// sweep evicts the entries that are not valid, and reports whether any are
// left.
func (c *cached) sweep() (left bool) {
	for _, in := range []*otter.Cache[key, *entry]{c.known, c.unknown} {
		for k, e := range in.All() {
			if c.isValid(e) {
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
