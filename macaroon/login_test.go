package macaroon_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	errs "github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
)

// Addresses of clients.
const (
	home     = "192.0.2.1"
	office   = "192.0.2.2"
	nowhere  = "" // an address that is not known
	attacker = "198.51.100.9"
)

// newCarol returns a zone with the user carol and fast password hashing.
func newCarol(t *testing.T, options ...macaroon.Option) *zone {
	t.Helper()
	z := newZone(t, options...)
	macaroon.HashQuickly(z.Authority)
	_, err := z.CreateUser(t.Context(), macaroon.NewUser{Username: "carol", Password: password})
	require.NoError(t, err)
	return z
}

func (z *zone) logIn(t *testing.T, password, address string) error {
	t.Helper()
	addr, _ := netip.ParseAddr(address)
	_, err := z.LogIn(macaroon.WithActor(t.Context(), macaroon.Actor{Address: addr}), "carol", password)
	return err
}

// fail tries to log in as carol with a wrong password.
func (z *zone) fail(t *testing.T, times int, address string) {
	t.Helper()
	for range times {
		requireID(t, errs.IDBadBasicCredentials, z.logIn(t, "wrong", address))
	}
}

func requireThrottled(t *testing.T, wait time.Duration, err error) {
	t.Helper()
	require.Equal(t, macaroon.ThrottledError{Wait: wait}, err)
	require.ErrorIs(t, err, errs.IDTemporaryFailure)
}

// Password guessing from another address does not lock the user out.
func TestAKnownAddressPassesALockedName(t *testing.T) {
	t.Parallel()
	z := newCarol(t, macaroon.WithThrottle(2, time.Minute))
	require.NoError(t, z.logIn(t, password, home))
	z.fail(t, 2, attacker)
	for _, address := range []string{attacker, office, nowhere} {
		requireThrottled(t, time.Minute, z.logIn(t, password, address))
	}
	require.NoError(t, z.logIn(t, password, home))

	// A known address has a separate limit.
	z.fail(t, 2, home)
	requireThrottled(t, time.Minute, z.logIn(t, password, home))
	z.advance(time.Minute)
	require.NoError(t, z.logIn(t, password, home))
	z.fail(t, 1, attacker)
	z.fail(t, 1, home)
	requireThrottled(t, time.Minute, z.logIn(t, password, home))

	// The limit of other names does not change.
	addr := netip.MustParseAddr(home)
	ctx := macaroon.WithActor(t.Context(), macaroon.Actor{Address: addr})
	for range 2 {
		_, err := z.LogIn(ctx, "mallory", "x")
		requireID(t, errs.IDBadBasicCredentials, err)
	}
	_, err := z.LogIn(ctx, "mallory", "x")
	requireThrottled(t, time.Minute, err)
}

func TestAKnownAddressDoesNotPassItsOwnLimit(t *testing.T) {
	t.Parallel()
	z := newCarol(t, macaroon.WithThrottle(1, time.Minute))
	require.NoError(t, z.logIn(t, password, home))
	ctx := macaroon.WithActor(t.Context(), macaroon.Actor{Address: netip.MustParseAddr(home)})
	for i := range 10 {
		_, err := z.LogIn(ctx, fmt.Sprint("nobody", i), "x")
		requireID(t, errs.IDBadBasicCredentials, err)
	}
	requireThrottled(t, 6*time.Second, z.logIn(t, password, home))
	require.NoError(t, z.logIn(t, password, office))
}

func TestAddressesAreNetworks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, succeeded, next string
		known                 bool
	}{
		{"the same", home, home, true},
		{"the neighbour", home, office, false},
		{"mapped into IPv6", home, "::ffff:" + home, true},
		{"IPv6, the same site", "2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true},
		{"IPv6, with a zone", "fe80::1%eth0", "fe80::2%eth1", true},
		{"IPv6, another site", "2001:db8:0:1::1", "2001:db8:0:2::1", false},
		{"unknown is everybody's", nowhere, nowhere, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			z := newCarol(t, macaroon.WithThrottle(1, time.Minute))
			require.NoError(t, z.logIn(t, password, c.succeeded))
			z.fail(t, 1, attacker)
			if c.known {
				require.NoError(t, z.logIn(t, password, c.next))
			} else {
				requireThrottled(t, time.Minute, z.logIn(t, password, c.next))
			}
		})
	}
}

// All clients with an unknown address share the limit of one address.
func TestUnknownAddressesShareOneCount(t *testing.T) {
	t.Parallel()
	z := newCarol(t, macaroon.WithThrottle(1, time.Minute))
	for i := range 10 {
		_, err := z.LogIn(t.Context(), fmt.Sprint("nobody", i), "x")
		requireID(t, errs.IDBadBasicCredentials, err)
	}
	requireThrottled(t, 6*time.Second, z.logIn(t, password, nowhere))
	require.NoError(t, z.logIn(t, password, home))
}

// sharedCount is a ThrottleCounter whose failures do not expire.
type sharedCount struct {
	mu     sync.Mutex
	counts map[string]int
	keys   map[string]macaroon.ThrottleKey
	err    error
}

func (s *sharedCount) Take(_ context.Context, keys []macaroon.ThrottleKey) (time.Duration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range keys {
		s.keys[k.ID] = k
		if s.counts[k.ID] >= k.Failures {
			return k.Interval, s.err
		}
	}
	for _, k := range keys {
		s.counts[k.ID]++
	}
	return 0, s.err
}

func (s *sharedCount) GiveBack(_ context.Context, keys []macaroon.ThrottleKey) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range keys {
		s.counts[k.ID]--
	}
	return s.err
}

func TestReplicasShareACount(t *testing.T) {
	t.Parallel()
	count := &sharedCount{counts: map[string]int{}, keys: map[string]macaroon.ThrottleKey{}}
	options := []macaroon.Option{macaroon.WithThrottle(10, time.Minute), macaroon.WithThrottleCounter(count)}
	replicas := []*zone{newCarol(t, options...), newCarol(t, options...), newCarol(t, options...)}
	for range 20 {
		require.NoError(t, replicas[0].logIn(t, password, home), "successes cost nothing")
	}
	guesses := 0
	for i := range 30 {
		if err := replicas[i%3].logIn(t, "wrong", attacker); errs.Is(err, errs.IDBadBasicCredentials) {
			guesses++
		}
	}
	require.Equal(t, 10, guesses)
	requireThrottled(t, time.Minute, replicas[1].logIn(t, password, office))
	require.NoError(t, replicas[0].logIn(t, password, home), "a known address")
	for id, k := range count.keys {
		assert.Regexp(t, "^[0-9a-f]{64}$", id)
		assert.Contains(t, []macaroon.ThrottleKey{{ID: id, Failures: 10, Interval: time.Minute}, {ID: id, Failures: 100, Interval: 6 * time.Second}}, k)
	}

	// If the counter is unavailable, log-ins fail with an operational error.
	for _, down := range []error{errors.New("connection refused"), errs.NotFound(), macaroon.ThrottledError{Wait: 1}} {
		count.err = down
		z := newCarol(t, options...)
		before := len(z.events)
		for range 30 {
			err := z.logIn(t, password, "203.0.113.1")
			requireOperational(t, err)
			require.ErrorContains(t, err, "counting log-ins")
		}
		require.Len(t, z.events, before)
	}
}

// compose is NFC for the one letter in these tests. It rejects the bell
// character.
func compose(password string) (string, error) {
	if strings.Contains(password, "\a") {
		return "", errors.New("a bell")
	}
	return strings.ReplaceAll(password, "e\u0301", "\u00e9"), nil
}

func TestPasswordsInDifferentUnicodeForms(t *testing.T) {
	t.Parallel()
	const composed, decomposed = "caf\u00e9 au lait", "cafe\u0301 au lait"
	z := newCarol(t, macaroon.WithPasswordProfile(compose))
	ctx := t.Context()
	for name, set := range map[string]string{"mac": decomposed, "linux": composed} {
		user, err := z.CreateUser(ctx, macaroon.NewUser{Username: name, Password: set})
		require.NoError(t, err)
		for range 2 {
			for _, try := range []string{composed, decomposed} {
				_, err := z.LogIn(ctx, name, try)
				require.NoError(t, err, "%s: %+q", name, try)
			}
			_, err := z.LogIn(ctx, name, "cafe au lait")
			requireID(t, errs.IDBadBasicCredentials, err)
			require.NoError(t, z.SetPassword(ctx, user, set))
		}
	}
	for _, bad := range []string{"a bell \a\a\a", "1234567e\u0301\xff", strings.Repeat("e\u0301", 7), strings.Repeat("\a", 8)} {
		_, err := z.CreateUser(ctx, macaroon.NewUser{Password: bad})
		requireID(t, errs.IDBadValuePassword, err)
		requireID(t, errs.IDBadValuePassword, z.SetPassword(ctx, alice, bad))
		_, err = z.LogIn(ctx, "mac", bad)
		requireID(t, errs.IDBadBasicCredentials, err)
	}
	emptied := newZone(t, macaroon.WithPasswordProfile(func(string) (string, error) { return "", nil }))
	requireID(t, errs.IDBadValuePassword, emptied.SetPassword(ctx, alice, password))
}

// Hashes made without a profile still verify, and are replaced by hashes of the
// prepared password.
func TestPasswordsSetBeforeTheProfile(t *testing.T) {
	t.Parallel()
	const composed, decomposed = "caf\u00e9 au lait", "cafe\u0301 au lait"
	z := newCarol(t, macaroon.WithPasswordProfile(compose))
	old, err := macaroon.NewAuthority(z.store)
	require.NoError(t, err)
	macaroon.HashQuickly(old)
	ctx := t.Context()
	mac, err := old.CreateUser(ctx, macaroon.NewUser{Username: "mac", Password: decomposed})
	require.NoError(t, err)
	_, err = z.LogIn(ctx, "mac", composed)
	requireID(t, errs.IDBadBasicCredentials, err)
	_, err = z.LogIn(ctx, "mac", decomposed)
	require.NoError(t, err)
	for _, try := range []string{composed, decomposed} {
		_, err = z.LogIn(ctx, "mac", try)
		require.NoError(t, err, "%+q", try)
	}
	require.NoError(t, old.SetPassword(ctx, mac, "with a bell \a"))
	for range 2 {
		_, err = z.LogIn(ctx, "mac", "with a bell \a")
		require.NoError(t, err)
	}
}
