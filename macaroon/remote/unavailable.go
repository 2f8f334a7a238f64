package remote

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/onezone-go/onezone/errors"
)

// failed returns the operational error of a question that was not answered.
func (c *Client) failed(err error) error {
	return fmt.Errorf("ask the Onezone at %s: %w", c.base.Host, err)
}

// failedUnlessRefused returns the refusals of Onezone as they are, and the
// operational error for all others.
func (c *Client) failedUnlessRefused(err error) error {
	if _, refused := err.(*errors.Error); refused || err == nil {
		return err
	}
	return c.failed(err)
}

// unavailable is the operational error of an Onezone that may answer after a
// while. Package rest finds its method RetryAfter.
type unavailable struct {
	error
	wait time.Duration
}

func (u unavailable) Unwrap() error { return u.error }

// RetryAfter returns how long to wait before the next request.
func (u unavailable) RetryAfter() time.Duration { return u.wait }

// transient is an error after which the same request may succeed at once.
type transient struct{ error }

func (t transient) Unwrap() error { return t.error }

func isTransient(err error) bool {
	_, ok := errors.AsType[transient](err)
	return ok
}

// rejected is the error of a request that was answered with a status of 4xx, but
// not by the API. A client can cause it with a token that a proxy of the Onezone
// finds too long, so it says nothing about other requests.
type rejected struct{ error }

func (r rejected) Unwrap() error { return r.error }

// Limits of the time that Onezone asks its clients to wait.
const (
	defaultWait = time.Second      // if a 429 response has no Retry-After
	maxWait     = 60 * time.Second // so that one response cannot stop this service for long
)

// unavailable returns the error of a response that says that Onezone cannot
// answer. If Onezone asks for a pause, requests without credentials are
// suspended.
func (c *Client) unavailable(r request, answer reply) error {
	err := fmt.Errorf("it answered with the status %d", answer.status)
	wait := retryAfter(answer.header, c.now())
	if wait == 0 && answer.status != http.StatusTooManyRequests {
		return transient{err}
	}
	if wait == 0 {
		wait = defaultWait
	}
	if r.header == nil {
		c.pause.begin(c.now(), wait)
	}
	return unavailable{err, wait}
}

// retryAfter returns the time in the Retry-After header, 0 without one (RFC
// 9110, section 10.2.3).
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, maxWait)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), maxWait)
	}
	return 0
}

// pause is the time until which Onezone wants no requests.
type pause struct{ until atomic.Int64 } // Unix time in nanoseconds

func (p *pause) begin(now time.Time, wait time.Duration) { p.until.Store(now.Add(wait).UnixNano()) }

// left returns the rest of the pause. It is over if the clock was set back.
func (p *pause) left(now time.Time) time.Duration {
	left := time.Duration(p.until.Load() - now.UnixNano())
	if left > maxWait {
		return 0
	}
	return max(left, 0)
}

// breakerFailures is the number of consecutive failures that open the breaker.
const breakerFailures = 5

// newBreaker returns the circuit breaker of the client. While it is open, no
// request is sent; after a pause, one at a time probes whether Onezone answers.
func newBreaker(c *Client) *gobreaker.CircuitBreaker[reply] {
	return gobreaker.NewCircuitBreaker[reply](gobreaker.Settings{
		Timeout:     c.breakerPause,
		ReadyToTrip: func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= breakerFailures },
		// A refusal is an answer.
		IsSuccessful: func(err error) bool {
			_, refusal := err.(*errors.Error)
			return err == nil || refusal
		},
		// Callers that gave up, pauses and requests that a proxy rejected say
		// nothing about the next request.
		IsExcluded: func(err error) bool {
			_, paused := errors.AsType[unavailable](err)
			_, one := errors.AsType[rejected](err)
			return paused || one || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
		},
		OnStateChange: func(_ string, from, to gobreaker.State) {
			level := slog.LevelInfo
			if to == gobreaker.StateOpen {
				level = slog.LevelWarn
			}
			c.log.Log(c.life, level, "the circuit breaker of an Onezone changed",
				"host", c.base.Host, "from", from.String(), "to", to.String())
		},
	})
}
