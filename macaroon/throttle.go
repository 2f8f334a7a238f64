package macaroon

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"net/netip"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/environment"
)

// Defaults of [WithThrottle].
const (
	DefaultFailures        = 10
	DefaultFailureInterval = 6 * time.Second
)

// WithThrottle sets how many log-ins in a row may fail, and when one more may.
// A user name has that many failures, and gets another after each interval. An
// address, which many users may share, has ten times as many and gets ten in an
// interval; the first 64 bits of an IPv6 address count as one address, and all
// clients whose address is unknown share one count (see [Actor]). Throttled
// log-ins return a [ThrottledError] before anything is hashed. Successes cost
// nothing.
//
// An address from which a user has logged in before has as many failures again
// for that user's name, so that a client that keeps guessing a password elsewhere
// does not lock its owner out. The authority remembers the last 8 addresses of up
// to 100,000 users. Other clients have to wait; tokens are not affected.
//
// The count is that of the authority, in memory. N replicas give N times the
// guesses, unless they share a count ([WithThrottleCounter]). Zero failures turn
// throttling off. Default: [DefaultFailures], [DefaultFailureInterval].
func WithThrottle(failures int, interval time.Duration) Option {
	return func(a *Authority) { a.logIns.failures, a.logIns.interval = failures, interval }
}

// WithThrottleCounter has several authorities count failed log-ins together. It
// limits log-ins in addition to the count of each. Default: none.
func WithThrottleCounter(c ThrottleCounter) Option {
	return func(a *Authority) { a.logIns.counter = c }
}

// ThrottleCounter is a count of failed log-ins that replicas share, for instance
// in a Redis. It is safe for concurrent use.
type ThrottleCounter interface {
	// Take counts one failure for each of the keys, before the outcome of the
	// log-in is known, and returns 0. Where one of them has no failure left, it
	// counts none and returns how long to wait for all of them.
	//
	// A log-in for which Take returns an error fails with that error, which is
	// operational: a client that can disturb the counter gains no guesses by it.
	Take(ctx context.Context, keys []ThrottleKey) (wait time.Duration, err error)
	// GiveBack takes back what Take counted for a log-in that did not fail. An
	// error leaves one failure too many in the count, and changes nothing else.
	GiveBack(ctx context.Context, keys []ThrottleKey) error
}

// ThrottleKey is what failed log-ins are counted for: a user name, an address, or
// the two together.
type ThrottleKey struct {
	ID       string        // 64 hexadecimal digits, the same in all replicas
	Failures int           // how many in a row the key has
	Interval time.Duration // after which it gets another
}

// ThrottledError is returned for a log-in after too many failures. It unwraps to
// temporaryFailure; package rest answers it with 429 and Retry-After.
type ThrottledError struct {
	Wait time.Duration // until the next attempt has a chance
}

// Error says how long to wait.
func (e ThrottledError) Error() string {
	return fmt.Sprintf("too many log-ins have failed: wait %v before the next attempt", e.Wait)
}

// Unwrap returns temporaryFailure.
func (e ThrottledError) Unwrap() error { return errors.TemporaryFailure() }

// addressFailures is how many times the failures of a user name an address has.
const addressFailures = 10

// logInGuard decides who may try a password.
type logInGuard struct {
	failures int
	interval time.Duration
	counter  ThrottleCounter // nil: none
	own      *throttle
	known    knownAddresses
}

// attempt admits a log-in, or returns a ThrottledError, an operational error of
// the shared count or that of ctx. The caller reports how the log-in ended to
// conclude.
func (g *logInGuard) attempt(ctx context.Context, username string, addr netip.Addr) (conclude func(failed bool), err error) {
	network := networkOf(addr)
	address := throttleKey{"address " + network, addressFailures}
	conclude, err = g.take(ctx, throttleKey{name: "user " + username}, address)
	if errors.As(err, new(ThrottledError)) && g.known.has(username, network) {
		// The network, which has no space, goes first: a user name may be any text.
		return g.take(ctx, throttleKey{name: "known " + network + " " + username}, address)
	}
	return conclude, err
}

// take counts for the keys in this authority, and then in the shared count.
func (g *logInGuard) take(ctx context.Context, keys ...throttleKey) (conclude func(failed bool), err error) {
	own, err := g.own.attempt(ctx, keys...)
	if err != nil || g.counter == nil || g.own.capacity == 0 {
		return own, err
	}
	shared := g.sharedKeys(keys)
	wait, err := g.counter.Take(ctx, shared)
	switch {
	case err != nil:
		own(false)
		return nil, environment.Error("counting log-ins", err)
	case wait > 0:
		own(false)
		return nil, ThrottledError{wait}
	}
	return func(failed bool) {
		own(failed)
		if failed {
			return
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), takeBackTime)
		defer cancel()
		_ = g.counter.GiveBack(ctx, shared) // costs the user one failure, which time makes up for
	}, nil
}

func (g *logInGuard) sharedKeys(keys []throttleKey) []ThrottleKey {
	shared := make([]ThrottleKey, len(keys))
	for i, k := range keys {
		id := sha256.Sum256([]byte(k.name))
		parts := max(k.parts, 1)
		failures := min(g.failures, math.MaxInt/int(parts)) * int(parts)
		shared[i] = ThrottleKey{hex.EncodeToString(id[:]), failures, max(g.interval/parts, 1)}
	}
	return shared
}

// unknownNetwork is that of all clients whose address is not known.
const unknownNetwork = "unknown"

// networkOf is what one client can be taken to have for itself: an IPv4 address,
// or the 64 bits that a site gets of IPv6.
func networkOf(addr netip.Addr) string {
	addr = addr.Unmap()
	switch {
	case !addr.IsValid():
		return unknownNetwork
	case addr.Is6():
		return netip.PrefixFrom(addr.WithZone(""), 64).Masked().String()
	}
	return addr.String()
}
