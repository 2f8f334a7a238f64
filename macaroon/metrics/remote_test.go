package metrics_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/metrics"
	"github.com/onezone-go/onezone/macaroon/remote"
)

func TestAClientOfAnOnezoneIsAskedAtEachScrape(t *testing.T) {
	t.Parallel()
	onezone := macaroontest.NewRemote(t)
	client, err := remote.New(onezone.Origin, remote.WithClock(onezone.Clock.Now), remote.WithRetries(0),
		remote.WithStaleIfUnreachable(time.Minute))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	m, registry := newMetrics(t)
	stats := func() metrics.RemoteStats { return metrics.RemoteStats(client.Stats()) }
	require.NoError(t, m.Remote("one.example.org", stats))
	require.NoError(t, m.Remote("another.example.org", func() metrics.RemoteStats { return metrics.RemoteStats{} }))
	require.Error(t, m.Remote("one.example.org", stats))

	token, revoked := onezone.Token().String(), onezone.Revoked().String()
	for range 2 {
		_, err = client.VerifyAccess(t.Context(), token, caveat.Request{})
		require.NoError(t, err)
		_, err = client.VerifyAccess(t.Context(), revoked, caveat.Request{})
		require.ErrorIs(t, err, errors.IDTokenRevoked)
	}
	_, err = client.VerifyAccess(t.Context(), "no token", caveat.Request{})
	require.ErrorIs(t, err, errors.IDBadToken)
	onezone.Stop()
	onezone.Clock.Advance(40 * time.Second)
	for range 6 {
		_, err = client.VerifyAccess(t.Context(), token, caveat.Request{})
		require.NoError(t, err)
	}

	require.Equal(t, map[string]float64{
		"one.example.org/good": 2, "one.example.org/refused": 1, "one.example.org/failed": 5, "one.example.org/suppressed": 1,
	}, series(t, registry, "onezone_remote_requests_total"))
	require.Equal(t, map[string]float64{"good/one.example.org": 1, "refused/one.example.org": 1, "stale/one.example.org": 6},
		series(t, registry, "onezone_remote_hits_total"), "labels are sorted by name")
	for name, want := range map[string]float64{"misses_total": 8, "refused_locally_total": 1, "entries": 2, "oldest_stale_seconds": 40} {
		require.Equal(t, map[string]float64{"one.example.org": want}, series(t, registry, "onezone_remote_"+name), name)
	}
	require.Equal(t, map[string]float64{"one.example.org/open": 1}, series(t, registry, "onezone_remote_breaker"))
}
