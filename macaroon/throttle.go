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
	"github.com/onezone-go/onezone/internal/operational"
)

// DefaultFailures is the default limit on failed log-ins in a row.
const DefaultFailures = 10

// defaultFailureInterval is the time after which one more log-in may fail.
const defaultFailureInterval = 6 * time.Second

// WithThrottle limits failed log-ins, by user name and by client address. A
// user name may fail the given number of times in a row, and once more after
// each interval. An address, which many users may share, may fail ten times as
// often. The first 64 bits of an IPv6 address count as one address. All clients
// with an unknown address share one count (see [Actor]). Beyond the limit LogIn
// returns a [ThrottledError] without hashing the password. Successful log-ins
// do not count.
//
// An address from which a user has logged in before has a separate count for
// that user's name. A client that guesses passwords elsewhere therefore cannot
// lock the user out. The authority remembers the last 8 addresses of up to
// 100,000 users. Tokens are not throttled.
//
// The counts are kept in the memory of the authority, so N replicas allow N
// times the guesses, unless they share a count ([WithThrottleCounter]). Zero
// failures disable throttling. Default:
// [DefaultFailures], 6 seconds.
func WithThrottle(failures int, interval time.Duration) Option {
	return func(a *Authority) { a.logIns.failures, a.logIns.interval = failures, interval }
}

// WithThrottleCounter sets a count of failed log-ins that several authorities
// share. It applies in addition to each authority's own count. Default: none.
func WithThrottleCounter(c ThrottleCounter) Option {
	return func(a *Authority) { a.logIns.counter = c }
}

// ThrottleCounter is a count of failed log-ins that replicas share, for
// instance in Redis. It must be safe for concurrent use.
type ThrottleCounter interface {
	// Take counts one failure for each key, before the outcome of the log-in is
	// known, and returns 0. If any key has reached its limit, Take counts
	// nothing and returns how long to wait until all keys are below their
	// limits.
	//
	// If Take returns an error, the log-in fails with that operational error,
	// so that a client gains no guesses by disturbing the counter.
	Take(ctx context.Context, keys []ThrottleKey) (wait time.Duration, err error)
	// GiveBack undoes Take for a log-in that did not fail. After an error the
	// count is one failure too high.
	GiveBack(ctx context.Context, keys []ThrottleKey) error
}

// ThrottleKey identifies a count of failed log-ins: of a user name, of an
// address, or of both combined.
type ThrottleKey struct {
	ID       string        // 64 hexadecimal digits, the same in all replicas
	Failures int           // limit on failures in a row
	Interval time.Duration // after which one more failure is allowed
}

// ThrottledError is the error of a log-in after too many failures. It unwraps
// to temporaryFailure; package rest answers 429 with Retry-After.
type ThrottledError struct {
	Wait time.Duration // time until another attempt is allowed
}

// Error returns a message with the time to wait.
func (e ThrottledError) Error() string {
	return fmt.Sprintf("too many log-ins have failed: wait %v before the next attempt", e.Wait)
}

// Unwrap returns temporaryFailure.
func (e ThrottledError) Unwrap() error { return errors.TemporaryFailure() }

// addressFailures is the limit of an address in multiples of that of a user
// name.
const addressFailures = 10

// logInGuard throttles log-ins.
type logInGuard struct {
	failures int
	interval time.Duration
	counter  ThrottleCounter // nil: none
	local    *throttle
	known    knownAddresses
}

// attempt begins a log-in. The caller must call finish with its outcome.
// Errors: a ThrottledError; an operational error of the shared count; that of
// ctx.
func (g *logInGuard) attempt(ctx context.Context, username string, addr netip.Addr) (finish func(failed bool), err error) {
	network := networkOf(addr)
	address := throttleKey{"address " + network, addressFailures}
	finish, err = g.take(ctx, throttleKey{name: "user " + username}, address)
	if errors.As(err, new(ThrottledError)) && g.known.has(username, network) {
		// The network comes first, because it contains no space, and a user
		// name may be any text. So two pairs never have the same key.
		return g.take(ctx, throttleKey{name: "known " + network + " " + username}, address)
	}
	return finish, err
}

// take counts a failure for the keys in this authority and in the shared count.
func (g *logInGuard) take(ctx context.Context, keys ...throttleKey) (finish func(failed bool), err error) {
	finishLocal, err := g.local.attempt(ctx, keys...)
	if err != nil || g.counter == nil || g.local.capacity == 0 {
		return finishLocal, err
	}
	shared := g.sharedKeys(keys)
	wait, err := g.counter.Take(ctx, shared)
	switch {
	case err != nil:
		finishLocal(false)
		return nil, operational.Error("counting log-ins", err)
	case wait > 0:
		finishLocal(false)
		return nil, ThrottledError{wait}
	}
	return func(failed bool) {
		finishLocal(failed)
		if failed {
			return
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
		defer cancel()
		_ = g.counter.GiveBack(ctx, shared) // an error leaves the count one failure too high
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

// unknownNetwork is the network of all clients with an unknown address.
const unknownNetwork = "unknown"

// networkOf returns the network that one client is assumed to control: an IPv4
// address, or the 64-bit prefix of an IPv6 address.
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
