package remote_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/operational"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/remote"
)

func TestTheBreakerOpensAndClosesAfterAProbe(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	c := z.client(t, remote.WithRetries(0), remote.WithDomains(z.Authority.Domain()))
	verify := func() error {
		_, err := c.VerifyAccess(t.Context(), z.Token().String(), caveat.Request{})
		return err
	}
	require.Equal(t, "closed", c.Stats().Breaker)
	z.misbehave(respondWith(http.StatusInternalServerError, ""))
	for range 5 {
		requireOperational(t, verify())
	}
	require.Equal(t, 5, z.requests())
	require.Equal(t, "open", c.Stats().Breaker)
	err := verify()
	requireOperational(t, err)
	wait, ok := operational.RetryAfter(err)
	require.True(t, ok)
	require.Positive(t, wait)
	require.EqualValues(t, 1, c.Stats().Suppressed)

	z.misbehave(nil)
	eventually(t, func() bool { return verify() == nil }, "a probe")
	require.Equal(t, "closed", c.Stats().Breaker)
}

func TestRefusalsDoNotOpenTheBreaker(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	c := z.client(t)
	for range 20 {
		_, err := c.VerifyAccess(t.Context(), z.Revoked().String(), caveat.Request{})
		require.ErrorIs(t, err, errors.IDTokenRevoked)
	}
	require.Equal(t, "closed", c.Stats().Breaker)
}

// A client may send tokens that are too long for the proxy in front of an
// Onezone. This must not stop the verification of other tokens.
func TestTokensThatAProxyRejectsDoNotOpenTheBreaker(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	c := z.client(t, remote.WithDomains(z.Authority.Domain()))
	z.misbehave(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > 20<<10 {
			http.Error(w, "<html>413 Request Entity Too Large</html>", http.StatusRequestEntityTooLarge)
			return
		}
		z.api.ServeHTTP(w, r)
	})
	long := z.mint(t, macaroon.AccessToken(), caveat.DataPath{"/" + strings.Repeat("a", 20<<10)}).String()
	for range 10 {
		_, err := c.VerifyAccess(t.Context(), long, caveat.Request{})
		requireOperational(t, err)
	}
	require.Equal(t, 10, z.requests())
	require.Equal(t, "closed", c.Stats().Breaker)
	_, err := c.VerifyAccess(t.Context(), z.Token().String(), caveat.Request{})
	require.NoError(t, err)
}

func TestCallersThatGiveUpDoNotOpenTheBreaker(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	z.hold(t)
	c := z.client(t)
	for range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		_, err := c.Scope(ctx, z.Token().String(), "")
		requireOperational(t, err)
		cancel()
	}
	require.Equal(t, "closed", c.Stats().Breaker)
}

func TestAHalfOpenBreakerLetsOneProbePassUnderLoad(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	c := z.client(t, remote.WithRetries(0), remote.WithDomains(z.Authority.Domain()))
	var texts [16]string
	for i := range texts {
		texts[i] = z.identity().String()
	}
	z.misbehave(respondWith(http.StatusBadGateway, ""))
	for _, text := range texts[:5] {
		_, err := c.VerifyIdentity(t.Context(), text, caveat.Request{})
		requireOperational(t, err)
	}
	require.Equal(t, "open", c.Stats().Breaker)

	var inFlight, most atomic.Int64
	probing, done := make(chan struct{}), make(chan struct{})
	end := sync.OnceFunc(func() { close(done) })
	t.Cleanup(end) // before the server is closed, also if the test fails
	once := sync.OnceFunc(func() { close(probing) })
	z.misbehave(func(w http.ResponseWriter, r *http.Request) {
		most.Store(max(most.Load(), inFlight.Add(1)))
		once()
		<-done
		inFlight.Add(-1)
		z.misbehave(nil)
		z.api.ServeHTTP(w, r)
	})
	var all sync.WaitGroup
	var refused atomic.Int64
	for _, text := range texts {
		all.Go(func() {
			for t.Context().Err() == nil {
				if _, err := c.VerifyIdentity(context.Background(), text, caveat.Request{}); err == nil {
					return
				}
				refused.Add(1)
			}
		})
	}
	<-probing
	before := refused.Load()
	eventually(t, func() bool { return refused.Load() > before+100 }, "callers that are refused during the probe")
	require.EqualValues(t, 1, inFlight.Load())
	end()
	eventually(t, func() bool { return c.Stats().Breaker == "closed" }, "the probe has succeeded")
	all.Wait() // every token verifies
	require.EqualValues(t, 1, most.Load())
}
