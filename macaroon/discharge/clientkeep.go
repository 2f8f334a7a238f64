package discharge

import (
	"context"
	"time"
)

// flight is one fetch that concurrent callers share. It ends when it has a
// result, or when no caller waits for it any longer. Its context has no values of
// a caller, so that it does not matter which caller starts it.
type flight struct {
	done    chan struct{}
	cancel  context.CancelFunc
	callers int // guarded by Client.mu
	result  fetched
	err     error
}

// get returns a kept discharge, or fetches it.
func (c *Client) get(ctx context.Context, l *location, id caveatID) (fetched, error) {
	c.mu.Lock()
	old, found := c.kept[id]
	if found && c.now().Before(old.refresh) {
		c.mu.Unlock()
		return old, nil
	}
	f := c.flights[id]
	if f == nil {
		f = c.start(l, id)
	}
	f.callers++
	c.mu.Unlock()

	select {
	case <-f.done:
	case <-ctx.Done():
		c.leave(id, f)
		return fetched{}, ctx.Err()
	}
	if f.err != nil && found && isOperational(f.err) && c.now().Before(old.end) {
		return old, nil // still good; the next call tries again
	}
	return f.result, f.err
}

// start starts a flight. The caller holds the lock.
func (c *Client) start(l *location, id caveatID) *flight {
	ctx, cancel := context.WithCancel(context.Background())
	f := &flight{done: make(chan struct{}), cancel: cancel}
	c.flights[id] = f
	go func() {
		defer cancel()
		f.result, f.err = c.fetch(ctx, l, id)
		c.mu.Lock()
		if c.flights[id] == f { // not forgotten
			delete(c.flights, id)
			if f.err == nil {
				c.keep(id, &f.result)
			}
		}
		c.mu.Unlock()
		close(f.done)
	}()
	return f
}

// leave cancels the flight if nobody else waits for it. Later callers start
// another one.
func (c *Client) leave(id caveatID, f *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.callers--; f.callers > 0 {
		return
	}
	f.cancel()
	if c.flights[id] == f {
		delete(c.flights, id)
	}
}

// keep keeps a discharge until a tenth of its time is left, and at most 30
// seconds. The caller holds the lock.
func (c *Client) keep(id caveatID, f *fetched) {
	now := c.now()
	f.end = endOf(f.discharge, now.Add(maxAge))
	f.refresh = f.end.Add(-min(f.end.Sub(now)/10, maxMargin))
	if !now.Before(f.refresh) {
		return
	}
	if len(c.kept) >= maxKept {
		c.evict(now)
	}
	c.kept[id] = *f
}

// evict drops what has ended, and the discharge that ends first if nothing has.
func (c *Client) evict(now time.Time) {
	var first caveatID
	for id, f := range c.kept {
		if !now.Before(f.end) {
			delete(c.kept, id)
		} else if soonest, ok := c.kept[first]; !ok || f.end.Before(soonest.end) {
			first = id
		}
	}
	if len(c.kept) >= maxKept {
		delete(c.kept, first)
	}
}
