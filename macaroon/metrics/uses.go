package metrics

import "github.com/onezone-go/onezone/macaroon"

// Uses registers the series of the uses of tokens that an authority with
// [macaroon.WithLastUse] records:
//
//	err := m.Uses(authority.UseStats)
//
// They are onezone_uses_recorded_total, _written_total, _dropped_total,
// _rows_total and _write_failures_total. The error is that of the registerer.
func (m *Metrics) Uses(stats func() macaroon.UseStats) error {
	type now = macaroon.UseStats
	return registerSnapshot(m, "uses", nil, stats, []series[now]{
		counter("recorded_total", "Uses of named tokens that were recorded.", func(s now) uint64 { return s.Recorded }),
		counter("written_total", "Recorded uses that were written to the store.", func(s now) uint64 { return s.Written }),
		counter("dropped_total", "Uses that were not recorded or not written.", func(s now) uint64 { return s.Dropped }),
		counter("rows_total", "Rows of uses that were written to the store.", func(s now) uint64 { return s.Rows }),
		counter("write_failures_total", "Writes of uses that failed.", func(s now) uint64 { return s.Failures }),
	})
}
