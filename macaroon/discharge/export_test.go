package discharge

import (
	"time"

	"github.com/onezone-go/onezone/macaroon/general"
)

// WithPause sets the time between two calls of the Check for a client that waits.
func WithPause(d time.Duration) HandlerOption { return func(h *Handler) { h.pause = d } }

// WithMaxWaiting sets how many clients may wait at a time.
func WithMaxWaiting(n int) HandlerOption {
	return func(h *Handler) { h.waiting = make(chan struct{}, n) }
}

// Waiting returns how many callers wait for a fetch.
func (c *Client) Waiting() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.flights {
		n += f.callers
	}
	return n
}

// Keep keeps a discharge, and Kept counts them.
func (c *Client) Keep(identifier string, d general.Macaroon) {
	c.keep(caveatID{identifier: identifier}, &fetched{discharge: d})
}

func (c *Client) Kept() int { return len(c.kept) }
