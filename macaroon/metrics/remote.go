package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// RemoteStats has the same fields as Stats of package macaroon/remote, so that
// Stats converts to it. This package therefore does not import that client.
type RemoteStats struct {
	HitsGood    uint64 // verifications answered from the cache, with a good answer
	HitsRefused uint64 // with a refusal
	HitsStale   uint64 // with an answer past its age, because Onezone was unreachable
	Misses      uint64 // for which there was no valid answer in the cache

	RefusedLocally uint64 // tokens refused without a request

	RequestsGood    uint64 // requests to Onezone that it answered with a success
	RequestsRefused uint64 // with a refusal
	RequestsFailed  uint64 // not answered, or not in the form of the API
	Suppressed      uint64 // requests that were not sent

	Entries     int           // answers in the cache
	Breaker     string        // state of the circuit breaker: closed, open or half-open
	OldestStale time.Duration // age of the oldest answer used past its age since Onezone answered last
}

// Remote registers the series of a client of an Onezone. They have the label
// onezone with the given value, such as its host. Each scrape calls stats once:
//
//	err := m.Remote("onezone.example.org", func() metrics.RemoteStats { return metrics.RemoteStats(client.Stats()) })
//
// They are onezone_remote_requests_total by outcome (good, refused, failed,
// suppressed), onezone_remote_hits_total by kind (good, refused, stale),
// onezone_remote_misses_total, _refused_locally_total, _entries, _breaker by
// state (1 for the current one) and _oldest_stale_seconds. The error is that of
// the registerer.
func (m *Metrics) Remote(onezone string, stats func() RemoteStats) error {
	request := func(outcome string, value func(RemoteStats) uint64) series[RemoteStats] {
		return counter("requests_total", "Requests to the Onezone, by outcome.", value).labeled("outcome", outcome)
	}
	hit := func(kind string, value func(RemoteStats) uint64) series[RemoteStats] {
		return counter("hits_total", "Verifications answered from the cache, by kind of the answer.", value).labeled("kind", kind)
	}
	breaker := func(state string) series[RemoteStats] {
		return gauge("breaker", "Whether the circuit breaker is in the state.",
			func(s RemoteStats) float64 { return boolean(s.Breaker == state) }).labeled("state", state)
	}
	return registerSnapshot(m, "remote", prometheus.Labels{"onezone": onezone}, stats, []series[RemoteStats]{
		request("good", func(s RemoteStats) uint64 { return s.RequestsGood }),
		request("refused", func(s RemoteStats) uint64 { return s.RequestsRefused }),
		request("failed", func(s RemoteStats) uint64 { return s.RequestsFailed }),
		request("suppressed", func(s RemoteStats) uint64 { return s.Suppressed }),
		hit("good", func(s RemoteStats) uint64 { return s.HitsGood }),
		hit("refused", func(s RemoteStats) uint64 { return s.HitsRefused }),
		hit("stale", func(s RemoteStats) uint64 { return s.HitsStale }),
		counter("misses_total", "Verifications not answered from the cache.", func(s RemoteStats) uint64 { return s.Misses }),
		counter("refused_locally_total", "Tokens refused without a request.", func(s RemoteStats) uint64 { return s.RefusedLocally }),
		gauge("entries", "Answers in the cache.", func(s RemoteStats) float64 { return float64(s.Entries) }),
		breaker("closed"), breaker("open"), breaker("half-open"),
		gauge("oldest_stale_seconds", "Age of the oldest answer used past its age since the Onezone answered last.",
			func(s RemoteStats) float64 { return s.OldestStale.Seconds() }),
	})
}
