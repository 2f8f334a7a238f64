package metrics_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/macaroon"
)

func TestUsesAreCounted(t *testing.T) {
	t.Parallel()
	m, registry := newMetrics(t)
	stats := macaroon.UseStats{Recorded: 9, Written: 7, Dropped: 3, Rows: 2, Failures: 1}
	require.NoError(t, m.Uses(func() macaroon.UseStats { return stats }))
	require.Error(t, m.Uses(func() macaroon.UseStats { return stats }), "they are registered already")
	for name, want := range map[string]float64{"recorded": 9, "written": 7, "dropped": 3, "rows": 2, "write_failures": 1} {
		f := family(t, registry, "onezone_uses_"+name+"_total")
		require.Equal(t, want, f.GetMetric()[0].GetCounter().GetValue(), name)
	}
}
