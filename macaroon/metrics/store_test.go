package metrics_test

import (
	"context"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/metrics"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/storetest"
)

func TestAMeasuredStoreConforms(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) store.Store {
		backend := memory.New()
		t.Cleanup(func() { _ = backend.Close() })
		m, err := metrics.New(prometheus.NewRegistry(), metrics.Options{})
		require.NoError(t, err)
		s, err := m.Store(backend)
		require.NoError(t, err)
		return s
	})
}

func TestAMeasuredStoreNeedsABackend(t *testing.T) {
	t.Parallel()
	m, _ := newMetrics(t)
	_, err := m.Store(nil)
	require.ErrorIs(t, err, errors.IDBadData)
}

// calls makes each call of the store once and returns the errors by method
// name.
func calls(ctx context.Context, s store.Store) map[string]error {
	user := caveat.User("u1")
	secret := store.NewSecret("secret")
	token := store.Token{ID: "t1", Name: "name", Version: 2, Subject: user, Type: "act", Secret: secret, Custom: []byte("{}")}
	errs := map[string]error{}
	errs["CreateIdentity"] = s.CreateIdentity(ctx, store.Identity{Subject: user, Username: "alice"})
	_, errs["GetIdentity"] = s.GetIdentity(ctx, user)
	_, errs["GetIdentityByUsername"] = s.GetIdentityByUsername(ctx, "alice")
	errs["UpdateIdentity"] = s.UpdateIdentity(ctx, user, func(*store.Identity) error { return nil })
	_, errs["CreateToken"] = s.CreateToken(ctx, token, 0)
	_, errs["GetToken"] = s.GetToken(ctx, "t1")
	_, _, errs["ListTokens"] = s.ListTokens(ctx, store.Query{})
	_, _, errs["ListTokenIDs"] = s.ListTokenIDs(ctx, store.Query{})
	_, errs["CountTokens"] = s.CountTokens(ctx, user)
	errs["UpdateToken"] = s.UpdateToken(ctx, "t1", func(*store.Token) error { return nil })
	_, errs["NamedKey"] = s.NamedKey(ctx, "t1")
	_, errs["EnsureTemporaryKey"] = s.EnsureTemporaryKey(ctx, user, secret)
	_, errs["TemporaryKey"] = s.TemporaryKey(ctx, user)
	_, errs["RotateTemporaryKey"] = s.RotateTemporaryKey(ctx, user, secret)
	_, errs["ReplaceTemporarySecret"] = s.ReplaceTemporarySecret(ctx, user, secret, secret)
	_, _, errs["Export"] = s.Export(ctx, store.TokenRecords, "", 1)
	errs["Import"] = s.Import(ctx, []store.Record{{Token: &token}})
	errs["RecordUses"] = s.RecordUses(ctx, []store.Use{{TokenID: "t1", At: 60, Count: 1}})
	_, errs["LastUses"] = s.LastUses(ctx, []string{"t1"})
	errs["DeleteTemporaryKey"] = s.DeleteTemporaryKey(ctx, user)
	errs["DeleteToken"] = s.DeleteToken(ctx, "t1")
	errs["DeleteIdentity"] = s.DeleteIdentity(ctx, user)
	return errs
}

func TestEachCallIsMeasuredOnceByOperationAndOutcome(t *testing.T) {
	t.Parallel()
	const family = "onezone_store_duration_seconds"
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for about, c := range map[string]struct {
		ctx     context.Context
		closed  bool
		outcome string
	}{
		"that succeeds":       {t.Context(), false, "ok"},
		"of a caller gone":    {canceled, false, "canceled"},
		"of a store at fault": {t.Context(), true, "fault"},
	} {
		m, registry := newMetrics(t)
		backend := memory.New()
		if c.closed {
			require.NoError(t, backend.Close())
		}
		s, err := m.Store(backend)
		require.NoError(t, err)
		want := map[string]float64{}
		for name, err := range calls(c.ctx, s) {
			require.Equal(t, c.outcome == "ok", err == nil, "%s %s: %v", name, about, err)
			want[name+"/"+c.outcome] = 1
		}
		require.Len(t, want, 22)
		require.Equal(t, want, series(t, registry, family), about)
	}

	m, registry := newMetrics(t)
	s, err := m.Store(memory.New())
	require.NoError(t, err)
	_, err = s.NamedKey(t.Context(), "unknown")
	require.ErrorIs(t, err, errors.IDNotFound)
	require.Equal(t, map[string]float64{"NamedKey/notFound": 1}, series(t, registry, family))

	// The lookup of the subject is part of the creation, for every backend.
	m, registry = newMetrics(t)
	s, err = m.Store(memory.New())
	require.NoError(t, err)
	holder, err := s.CreateToken(t.Context(), store.Token{
		ID: "t1", Name: "name", Version: 2, Subject: caveat.User("u1"), Type: "act", Secret: store.NewSecret("secret"),
	}, store.HolderActive)
	require.NoError(t, err)
	require.Equal(t, store.HolderMissing, holder)
	require.Equal(t, map[string]float64{"CreateToken/ok": 1}, series(t, registry, family))
}

func TestLatenciesAreInSeconds(t *testing.T) {
	t.Parallel()
	m, registry := newMetrics(t)
	s, err := m.Store(memory.New())
	require.NoError(t, err)
	_, err = s.NamedKey(t.Context(), "unknown")
	require.Error(t, err)
	for _, metric := range family(t, registry, "onezone_store_duration_seconds").GetMetric() {
		if h := metric.GetHistogram(); h.GetSampleCount() > 0 {
			require.InDelta(t, 0.001, h.GetSampleSum(), 1e-9)
		}
	}
}

func TestClosingAMeasuredStoreLeavesTheBackendOpen(t *testing.T) {
	t.Parallel()
	m, _ := newMetrics(t)
	backend := memory.New()
	s, err := m.Store(backend)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	_, err = backend.NamedKey(t.Context(), "unknown")
	require.ErrorIs(t, err, errors.IDNotFound)
}

// Allocations here would slow down every verification.
func TestMeasuringASuccessAllocatesNothing(t *testing.T) {
	m, err := metrics.New(prometheus.NewRegistry(), metrics.Options{})
	require.NoError(t, err)
	s, err := m.Store(constant{memory.New()})
	require.NoError(t, err)
	ctx := context.Background()
	require.Zero(t, testing.AllocsPerRun(1000, func() { _, _ = s.NamedKey(ctx, "t1") }))
}

// constant is a store whose lookups succeed at no cost.
type constant struct{ store.Store }

func (constant) NamedKey(context.Context, string) (store.Key, error) { return store.Key{}, nil }

func TestMetricsAreSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	m, err := metrics.New(prometheus.NewRegistry(), metrics.Options{})
	require.NoError(t, err)
	s, err := m.Store(memory.New())
	require.NoError(t, err)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { calls(context.Background(), s) })
	}
	all.Wait()
}
