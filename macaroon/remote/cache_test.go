package remote_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/remote"
)

func TestARevocationIsSeenWithinMaxAgeAndAtOnceWithFresh(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	c := z.client(t)
	first, second := z.identity(), z.identity()
	verify := func(token macaroon.Token) error {
		_, err := c.VerifyIdentity(t.Context(), token.String(), caveat.Request{})
		return err
	}
	require.NoError(t, verify(first))
	require.NoError(t, verify(second))
	z.revoke(t, first)
	z.revoke(t, second)

	_, err := c.VerifyIdentity(remote.Fresh(t.Context()), first.String(), caveat.Request{})
	require.ErrorIs(t, err, errors.IDTokenRevoked)
	require.ErrorIs(t, verify(first), errors.IDTokenRevoked, "what Fresh learned replaces the older answer")

	z.Clock.Advance(20 * time.Second) // before the last quarter, in which answers are refreshed
	require.NoError(t, verify(second))
	z.Clock.Advance(10 * time.Second)
	require.ErrorIs(t, verify(second), errors.IDTokenRevoked)
}

func TestRefusalsAreAskedAgainAfterTenSeconds(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	c := z.client(t)
	token := z.Revoked()
	verify := func() error {
		_, err := c.VerifyAccess(t.Context(), token.String(), caveat.Request{})
		return err
	}
	require.ErrorIs(t, verify(), errors.IDTokenRevoked)
	require.NoError(t, z.Authority.Restore(t.Context(), token.ID()))
	z.Clock.Advance(9 * time.Second)
	require.ErrorIs(t, verify(), errors.IDTokenRevoked)
	require.Equal(t, 1, z.requests())
	z.Clock.Advance(time.Second)
	require.NoError(t, verify())
}

func TestAnAnswerNeverOutlivesItsToken(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{0, -time.Hour, 3 * time.Second} {
		z := newZone(t)
		z.Clock.Advance(400 * time.Millisecond) // the seconds of a ttl are whole
		expiry := z.Clock.Now().Add(20 * time.Second).Truncate(time.Second)
		c := z.client(t, remote.WithClock(func() time.Time { return z.Clock.Now().Add(skew) }))
		token := z.Token(caveat.Until(expiry)).String()
		for z.Clock.Now().Before(expiry) {
			_, err := c.VerifyAccess(t.Context(), token, caveat.Request{})
			require.NoError(t, err, skew)
			z.Clock.Advance(100 * time.Millisecond)
		}
		_, err := c.VerifyAccess(t.Context(), token, caveat.Request{})
		require.True(t, errors.Expired(err), "skew %v: %v", skew, err)
		require.Less(t, z.requests(), 15, "the answer was cached until its last second")
	}
}

func TestRequestsShareAnAnswerUnlessItCanDependOnTheirDifference(t *testing.T) {
	t.Parallel()
	base := from("192.0.2.1")
	base.Interface = caveat.REST
	address, graphsync, data := base, base, base
	address.IP = from("192.0.2.2").IP
	graphsync.Interface = caveat.GraphSync
	data.DataAccess = true
	for _, test := range []struct {
		caveat string
		other  caveat.Request
		asked  int
	}{
		{"", address, 1},
		{"", graphsync, 1},
		{"", data, 1},
		{"api = all/all/*.*.*:*", address, 1},
		{"service = ozw-onezone", address, 1},
		{"ip = 192.0.2.0/24", address, 2},
		{"ip = 192.0.2.0/24", data, 1},
		{"asn = 1", address, 2},
		{"geo.country = PL", address, 2},
		{"geo.region = Europe", address, 2},
		{"geo.region = Europe", graphsync, 1},
		{"interface = rest", graphsync, 2},
		{"interface = rest", address, 1},
		{"data.readonly", data, 2},
		{"data.readonly", address, 1},
		{"data.path = L3MxL2RpcmVjdG9yeQ==", data, 2},
	} {
		z := newZone(t)
		z.misbehave(respondWith(http.StatusOK, vouchFor(z.Alice, "null")))
		c := z.client(t)
		var cs []caveat.Caveat
		if test.caveat != "" {
			cs = append(cs, caveat.MustParse(test.caveat))
		}
		token := z.mint(t, macaroon.AccessToken(), cs...).String()
		for _, req := range []caveat.Request{base, test.other, base} {
			_, err := c.VerifyAccess(t.Context(), token, req)
			_, operational := err.(*errors.Error)
			require.True(t, err == nil || operational, "%v", err)
		}
		require.Equal(t, test.asked, z.requests(), "%s, %+v", test.caveat, test.other)
	}
}

func TestAnswersDependOnThePartyTokensAndTheirCaveats(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	z.misbehave(respondWith(http.StatusOK, vouchFor(z.Alice, "null")))
	c := z.client(t)
	token := z.Token().String()
	plain := caveat.PartyToken(z.TokenOf(z.Bob, macaroon.IdentityToken()).String())
	local := caveat.PartyToken(z.TokenOf(z.Bob, macaroon.IdentityToken(), caveat.MustParse("ip = 192.0.2.0/24")).String())
	ask := func(req caveat.Request, want int) {
		t.Helper()
		before := z.requests()
		_, err := c.VerifyAccess(t.Context(), token, req)
		require.NoError(t, err)
		require.Equal(t, want, z.requests()-before)
	}
	ask(caveat.Request{}, 1)
	ask(caveat.Request{ConsumerToken: plain}, 1)
	ask(caveat.Request{ServiceToken: plain}, 1)
	ask(caveat.Request{ServiceToken: plain, IP: from("192.0.2.1").IP}, 0)
	ask(caveat.Request{ConsumerToken: local, IP: from("192.0.2.1").IP}, 1)
	ask(caveat.Request{ConsumerToken: local, IP: from("192.0.2.2").IP}, 1)

	z.Clock.Advance(10 * time.Second)
	ask(caveat.Request{}, 0)
	ask(caveat.Request{ServiceToken: plain}, 0)
	ask(caveat.Request{ConsumerToken: plain}, 1)
}

func TestAccessAndIdentityAreDifferentQuestions(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	c := z.client(t)
	token := z.Token().String()
	_, err := c.VerifyAccess(t.Context(), token, caveat.Request{})
	require.NoError(t, err)
	_, err = c.VerifyIdentity(t.Context(), token, caveat.Request{})
	require.ErrorIs(t, err, errors.IDNotAnIdentityToken)
	require.Equal(t, 2, z.requests())
}

func TestAClockThatIsSetBackKeepsNoAnswerAlive(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	now := atomic.Pointer[time.Time]{}
	set := func(at time.Time) { now.Store(&at) }
	set(z.Clock.Now())
	c := z.client(t, remote.WithClock(func() time.Time { return *now.Load() }))
	token := z.identity()
	verify := func() error {
		_, err := c.VerifyIdentity(t.Context(), token.String(), caveat.Request{})
		return err
	}
	require.NoError(t, verify())
	z.revoke(t, token)
	set(z.Clock.Now().Add(-time.Hour))
	require.ErrorIs(t, verify(), errors.IDTokenRevoked)

	// A pause that Onezone asked for does not last longer, either.
	z.misbehave(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	_, err := c.VerifyIdentity(remote.Fresh(t.Context()), token.String(), caveat.Request{})
	requireOperational(t, err)
	z.misbehave(nil)
	set(z.Clock.Now().Add(-2 * time.Hour))
	_, err = c.VerifyIdentity(remote.Fresh(t.Context()), token.String(), caveat.Request{})
	require.ErrorIs(t, err, errors.IDTokenRevoked)
}

func TestHotAnswersAreRefreshedInTheBackground(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	c := z.client(t)
	token := z.identity()
	verify := func() error {
		_, err := c.VerifyIdentity(t.Context(), token.String(), caveat.Request{})
		return err
	}
	require.NoError(t, verify())
	z.Clock.Advance(22 * time.Second)
	require.NoError(t, verify())
	require.Equal(t, 1, z.requests(), "not in the first three quarters")

	z.Clock.Advance(time.Second)
	require.NoError(t, verify())
	eventually(t, func() bool { return z.requests() == 2 }, "a refresh")
	eventually(t, func() bool { return c.Stats().RequestsGood == 3 }, "its answer, and that about the domain")
	z.Clock.Advance(15 * time.Second) // past the end of the first answer
	require.NoError(t, verify())
	require.Equal(t, 2, z.requests(), "nobody waited for Onezone")

	// A refresh that fails leaves the answer until its end; a refusal replaces it.
	z.misbehave(respondWith(http.StatusServiceUnavailable, ""))
	z.Clock.Advance(9 * time.Second)
	require.NoError(t, verify())
	eventually(t, func() bool { return c.Stats().RequestsFailed == 3 }, "three attempts")
	require.NoError(t, verify())
	z.misbehave(nil)
	z.revoke(t, token)
	z.Clock.Advance(6 * time.Second)
	require.ErrorIs(t, verify(), errors.IDTokenRevoked)
}

func TestStaleAnswersAreOptInAndLimited(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	strict, lenient := z.client(t), z.client(t, remote.WithStaleIfUnreachable(remote.MaxStale))
	expiring := z.identity(caveat.Until(z.Clock.Now().Add(100 * time.Second))).String()
	token, refused := z.identity(), z.TokenOf(z.Alice, macaroon.IdentityToken())
	z.revoke(t, refused)
	for _, c := range []*remote.Client{strict, lenient} {
		_, err := c.VerifyIdentity(t.Context(), token.String(), caveat.Request{})
		require.NoError(t, err)
		_, err = c.VerifyIdentity(t.Context(), expiring, caveat.Request{})
		require.NoError(t, err)
		_, err = c.VerifyIdentity(t.Context(), refused.String(), caveat.Request{})
		require.ErrorIs(t, err, errors.IDTokenRevoked)
	}
	z.misbehave(respondWith(http.StatusBadGateway, ""))
	z.Clock.Advance(60 * time.Second)
	_, err := strict.VerifyIdentity(t.Context(), token.String(), caveat.Request{})
	requireOperational(t, err)
	for _, text := range []string{token.String(), expiring} {
		_, err = lenient.VerifyIdentity(t.Context(), text, caveat.Request{})
		require.NoError(t, err)
	}
	_, err = lenient.VerifyIdentity(remote.Fresh(t.Context()), token.String(), caveat.Request{})
	requireOperational(t, err)
	_, err = lenient.VerifyIdentity(t.Context(), refused.String(), caveat.Request{})
	requireOperational(t, err)
	require.EqualValues(t, 2, lenient.Stats().HitsStale)
	require.Equal(t, time.Minute, lenient.Stats().OldestStale)

	z.Clock.Advance(39 * time.Second)
	_, err = lenient.VerifyIdentity(t.Context(), expiring, caveat.Request{})
	require.Error(t, err, "the token expires within a second")
	z.Clock.Advance(230 * time.Second)
	_, err = lenient.VerifyIdentity(t.Context(), token.String(), caveat.Request{})
	require.NoError(t, err)
	z.Clock.Advance(time.Second)
	_, err = lenient.VerifyIdentity(t.Context(), token.String(), caveat.Request{})
	requireOperational(t, err)
}

// An error with status 400 that this version does not know may be a verdict.
func TestNoStaleAnswerIsUsedAfterAnUnknownError(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	c := z.client(t, remote.WithStaleIfUnreachable(remote.MaxStale))
	text := z.identity().String()
	_, err := c.VerifyIdentity(t.Context(), text, caveat.Request{})
	require.NoError(t, err)
	z.Clock.Advance(time.Minute)
	z.misbehave(respondWith(http.StatusBadRequest, `{"error":{"id":"tokenSuspended"}}`))
	_, err = c.VerifyIdentity(t.Context(), text, caveat.Request{})
	requireOperational(t, err)
	z.misbehave(respondWith(http.StatusBadGateway, ""))
	_, err = c.VerifyIdentity(t.Context(), text, caveat.Request{})
	requireOperational(t, err)
	require.Zero(t, c.Stats().HitsStale)
}

func TestStaleAnswersDoNotNeedTheDomainAgain(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithDomain("127.0.0.1"))
	z.hidden = true
	c := z.client(t, remote.WithStaleIfUnreachable(remote.MaxStale))
	text := z.identity().String()
	_, err := c.VerifyIdentity(t.Context(), text, caveat.Request{})
	require.NoError(t, err)
	z.server.Close()
	z.Clock.Advance(2 * time.Minute) // the host of the URL was a guess, for a minute
	_, err = c.VerifyIdentity(t.Context(), text, caveat.Request{})
	require.NoError(t, err)
}

func TestAFreshAnswerEndsStaleness(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	c := z.client(t, remote.WithStaleIfUnreachable(time.Minute))
	token := z.identity()
	verify := func() error {
		_, err := c.VerifyIdentity(t.Context(), token.String(), caveat.Request{})
		return err
	}
	require.NoError(t, verify())
	z.misbehave(respondWith(http.StatusBadGateway, ""))
	z.Clock.Advance(remote.DefaultMaxAge)
	require.NoError(t, verify())
	require.NotZero(t, c.Stats().OldestStale)
	z.revoke(t, token)
	z.misbehave(nil)
	eventually(t, func() bool { return errors.Is(verify(), errors.IDTokenRevoked) }, "the revocation")
	require.Zero(t, c.Stats().OldestStale)
}

func TestTheCacheIsBounded(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	z.misbehave(respondWith(http.StatusOK, vouchFor(z.Alice, "null")))
	c := z.client(t, remote.WithMaxEntries(50), remote.WithMaxRate(1_000_000))
	token := z.mint(t, macaroon.AccessToken(), caveat.MustParse("ip = 0.0.0.0/0")).String()
	for i := range 500 {
		_, err := c.VerifyAccess(t.Context(), token, from(fmt.Sprintf("192.0.%d.%d", i/250, i%250)))
		require.NoError(t, err)
	}
	eventually(t, func() bool { return c.Stats().Entries <= 50 }, "evictions")
}

func TestLongRefusalsAreNotCached(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	c := z.client(t)
	var networks caveat.IP
	for i := range 500 {
		networks = append(networks, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 1}), 32))
	}
	text := z.Token(networks).String()
	for range 2 {
		_, err := c.VerifyAccess(t.Context(), text, from("192.0.2.1"))
		require.ErrorIs(t, err, errors.IDTokenCaveatUnverified)
	}
	require.Equal(t, 2, z.requests())
	require.Zero(t, c.Stats().Entries)
}

func TestACacheCanBeTurnedOff(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	c := z.client(t, remote.WithMaxAge(0, 0))
	good, revoked := z.Token().String(), z.Revoked().String()
	for range 2 {
		_, err := c.VerifyAccess(t.Context(), good, caveat.Request{})
		require.NoError(t, err)
		_, err = c.VerifyAccess(t.Context(), revoked, caveat.Request{})
		require.ErrorIs(t, err, errors.IDTokenRevoked)
	}
	require.Equal(t, 4, z.requests())
	require.Zero(t, c.Stats().Entries)
}
