package metrics_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/metrics"
	"github.com/onezone-go/onezone/store"
)

func TestTheLifeOfATokenIsCounted(t *testing.T) {
	t.Parallel()
	m, registry := newMetrics(t)
	h := macaroontest.New(t, macaroon.WithObserver(m.Observe))
	ctx := t.Context()

	token := h.Token()
	_, err := h.Authority.VerifyAccess(ctx, token.String(), caveat.Request{})
	require.NoError(t, err)
	require.NoError(t, h.Authority.Revoke(ctx, token.ID()))
	_, err = h.Authority.VerifyAccess(ctx, token.String(), caveat.Request{})
	require.ErrorIs(t, err, errors.IDTokenRevoked)
	require.NoError(t, h.Authority.Restore(ctx, token.ID()))
	require.NoError(t, h.Authority.Delete(ctx, token.ID()))
	_, err = h.Authority.VerifyAccess(ctx, h.Expired().String(), caveat.Request{})
	require.ErrorIs(t, err, errors.IDTokenCaveatUnverified)
	identity := h.TokenOf(h.Provider, macaroon.IdentityToken())
	_, err = h.Authority.VerifyIdentity(ctx, identity.String(), caveat.Request{})
	require.NoError(t, err)
	_, err = h.Authority.VerifyAccess(ctx, identity.String(), caveat.Request{})
	require.ErrorIs(t, err, errors.IDNotAnAccessToken)

	require.Equal(t, map[string]float64{"access": 2, "identity": 1}, series(t, registry, "onezone_tokens_issued_total"))
	require.Equal(t, map[string]float64{"access": 1, "identity": 1}, series(t, registry, "onezone_tokens_verified_total"))
	require.Equal(t, map[string]float64{"tokenRevoked": 1, "tokenCaveatUnverified": 1, "notAnAccessToken": 1},
		series(t, registry, "onezone_tokens_refused_total"))
	require.Equal(t, map[string]float64{"": 1}, series(t, registry, "onezone_tokens_revoked_total"))
	require.Equal(t, map[string]float64{"": 1}, series(t, registry, "onezone_tokens_restored_total"))
	require.Equal(t, map[string]float64{"": 1}, series(t, registry, "onezone_tokens_deleted_total"))
}

func TestAlarmsOfCanariesAreCounted(t *testing.T) {
	t.Parallel()
	m, registry := newMetrics(t)
	h := macaroontest.New(t, macaroon.WithObserver(m.Observe))
	token := h.Token()
	require.NoError(t, h.Authority.Update(t.Context(), token.ID(), macaroon.Change{Bait: new(store.BaitAlarm)}))
	for range 3 {
		_, err := h.Authority.VerifyAccess(t.Context(), token.String(), caveat.Request{})
		require.ErrorIs(t, err, errors.IDTokenRevoked)
	}
	m.Observe(t.Context(), macaroon.Event{Kind: macaroon.BaitUsed, Err: errors.New("the disk is full")})
	require.Equal(t, map[string]float64{"": 1}, series(t, registry, "onezone_tokens_bait_used_total"))
	require.Equal(t, map[string]float64{"tokenRevoked": 3}, series(t, registry, "onezone_tokens_refused_total"))
}

func TestLogInsAreCountedByTheirOutcome(t *testing.T) {
	t.Parallel()
	m, registry := newMetrics(t)
	require.Len(t, family(t, registry, "onezone_logins_total").GetMetric(), 4, "zero and not missing")
	h := macaroontest.New(t, macaroon.WithObserver(m.Observe), macaroon.WithThrottle(3, time.Hour))
	logIn := func(name, password string) error {
		_, err := h.Authority.LogIn(t.Context(), name, password)
		return err
	}
	require.NoError(t, logIn("alice", macaroontest.Password))
	for range 3 {
		require.ErrorIs(t, logIn("alice", "wrong"), errors.IDBadBasicCredentials)
	}
	for range 2 {
		require.ErrorIs(t, logIn("alice", macaroontest.Password), errors.IDTemporaryFailure)
	}
	require.NoError(t, h.Authority.SetBlocked(t.Context(), h.Bob, true))
	require.ErrorIs(t, logIn("bob", macaroontest.Password), errors.IDUserBlocked)
	require.Equal(t, map[string]float64{"ok": 1, "badBasicCredentials": 3, "throttled": 2, "userBlocked": 1},
		series(t, registry, "onezone_logins_total"))
}

// Text of clients must not become a label, because it could fill the memory of
// the Prometheus server.
func TestLabelsAreFromTheCatalogueWhateverTheError(t *testing.T) {
	t.Parallel()
	m, registry := newMetrics(t)
	for i := range 100 {
		var foreign errors.Error
		require.NoError(t, json.Unmarshal(fmt.Appendf(nil, `{"id":"made-up-%d","description":"x"}`, i), &foreign))
		m.Observe(t.Context(), macaroon.Event{Kind: macaroon.Refused, Err: &foreign})
		m.Observe(t.Context(), macaroon.Event{Kind: macaroon.Refused, Err: fmt.Errorf("disk %d is full", i)})
		m.Observe(t.Context(), macaroon.Event{Kind: macaroon.Refused, TokenID: fmt.Sprint(i), Err: errors.BadServiceToken(errors.TokenRevoked())})
	}
	m.Observe(t.Context(), macaroon.Event{Kind: macaroon.Refused, Err: errors.InternalServerError("abc")})
	require.Equal(t, map[string]float64{"unrecognized": 100, "fault": 100, "badServiceToken": 100, "internalServerError": 1},
		series(t, registry, "onezone_tokens_refused_total"))
}

func TestEventsOfNoKindOrTypeAreHarmless(t *testing.T) {
	t.Parallel()
	m, registry := newMetrics(t)
	m.Observe(context.Background(), macaroon.Event{})
	m.Observe(context.Background(), macaroon.Event{Kind: macaroon.Issued})
	require.Equal(t, map[string]float64{"none": 1}, series(t, registry, "onezone_tokens_issued_total"))
}

func TestAnOutcomeThatNeverHappenedIsZeroAndNotMissing(t *testing.T) {
	t.Parallel()
	_, registry := newMetrics(t)
	require.Len(t, family(t, registry, "onezone_tokens_issued_total").GetMetric(), 4)
	require.Len(t, family(t, registry, "onezone_store_duration_seconds").GetMetric(), 22)
}

func TestNewReportsNamesThatAreTaken(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	_, err := metrics.New(registry, metrics.Options{})
	require.NoError(t, err)
	_, err = metrics.New(registry, metrics.Options{})
	require.ErrorAs(t, err, new(prometheus.AlreadyRegisteredError))
	m, err := metrics.New(registry, metrics.Options{Namespace: "another", Buckets: []float64{1}, Clock: time.Now})
	require.NoError(t, err)
	stats := func() metrics.CacheStats { return metrics.CacheStats{} }
	require.NoError(t, m.Cache(stats))
	require.ErrorAs(t, m.Cache(stats), new(prometheus.AlreadyRegisteredError))
}

func TestACacheIsAskedAtEachScrape(t *testing.T) {
	t.Parallel()
	m, registry := newMetrics(t)
	asked := 0
	require.NoError(t, m.Cache(func() metrics.CacheStats {
		asked++
		return metrics.CacheStats{Hits: 1, Misses: 2, Loads: 3, LoadErrors: 4, Flushes: 5, Entries: 6, Negative: 7, FeedUp: true}
	}))
	for name, want := range map[string]float64{
		"hits_total": 1, "misses_total": 2, "loads_total": 3, "load_errors_total": 4, "flushes_total": 5,
		"entries": 6, "negative_entries": 7, "feed_up": 1,
	} {
		before := asked
		require.Equal(t, map[string]float64{"": want}, series(t, registry, "onezone_cache_"+name), name)
		require.Equal(t, before+1, asked, "one scrape, one set of figures")
	}
}
