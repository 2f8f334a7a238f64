package metrics_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/macaroon/metrics"
)

// newMetrics returns metrics on a new registry, with a clock that advances a
// millisecond at each reading.
func newMetrics(t *testing.T) (*metrics.Metrics, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	now := time.Unix(0, 0)
	m, err := metrics.New(registry, metrics.Options{Clock: func() time.Time {
		now = now.Add(time.Millisecond)
		return now
	}})
	require.NoError(t, err)
	return m, registry
}

// series returns the nonzero values of a family, by the values of their labels
// joined by a slash. The value of a histogram is its number of observations.
func series(t *testing.T, registry *prometheus.Registry, name string) map[string]float64 {
	t.Helper()
	values := map[string]float64{}
	for _, metric := range family(t, registry, name).GetMetric() {
		labels := ""
		for i, l := range metric.GetLabel() {
			if i > 0 {
				labels += "/"
			}
			labels += l.GetValue()
		}
		value := metric.GetCounter().GetValue() + metric.GetGauge().GetValue() + float64(metric.GetHistogram().GetSampleCount())
		if value != 0 {
			values[labels] = value
		}
	}
	return values
}

func family(t *testing.T, registry *prometheus.Registry, name string) *dto.MetricFamily {
	t.Helper()
	families, err := registry.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == name {
			return f
		}
	}
	t.Fatalf("there is no %s", name)
	return nil
}
