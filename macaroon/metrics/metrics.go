package metrics

import (
	"fmt"
	"time"

	// The client library of Prometheus itself.
	"github.com/prometheus/client_golang/prometheus"

	"github.com/onezone-go/onezone/macaroon"
)

// Options configure [New]. Zero fields mean the defaults.
type Options struct {
	Namespace string           // prefix of the names of all series; default "onezone"
	Buckets   []float64        // upper bounds of the buckets for store latency, in seconds; default 5 µs to 10 s
	Clock     func() time.Time // for latencies; default time.Now
}

// defaultBuckets range from an answer from memory to an overloaded store, in
// seconds.
var defaultBuckets = []float64{5e-6, 25e-6, 100e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 100e-3, 500e-3, 2.5, 10}

// Metrics are the series of one process. They are safe for concurrent use.
type Metrics struct {
	registerer prometheus.Registerer
	namespace  string
	now        func() time.Time

	issued, verified           byKind
	refused                    *prometheus.CounterVec
	revoked, restored, deleted prometheus.Counter
	baitUsed                   prometheus.Counter
	logIns                     *prometheus.CounterVec

	latency   *prometheus.HistogramVec
	succeeded map[string]prometheus.Observer // of latency, with outcome ok, by method
}

// New returns metrics and registers their series. The error is that of the
// registerer, for instance if a series with the name is already registered.
func New(r prometheus.Registerer, o Options) (*Metrics, error) {
	if o.Namespace == "" {
		o.Namespace = "onezone"
	}
	if len(o.Buckets) == 0 {
		o.Buckets = defaultBuckets
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	m := &Metrics{registerer: r, namespace: o.Namespace, now: o.Clock}
	counter := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Namespace: o.Namespace, Subsystem: "tokens", Name: name, Help: help}
	}
	issued := prometheus.NewCounterVec(counter("issued_total", "Tokens that were issued."), []string{"type"})
	verified := prometheus.NewCounterVec(counter("verified_total", "Tokens that were accepted."), []string{"type"})
	m.refused = prometheus.NewCounterVec(counter("refused_total", "Tokens that were rejected, by the id of the error."), []string{"reason"})
	m.revoked = prometheus.NewCounter(counter("revoked_total", "Revocations."))
	m.restored = prometheus.NewCounter(counter("restored_total", "Revoked tokens that were restored."))
	m.deleted = prometheus.NewCounter(counter("deleted_total", "Named tokens that were deleted."))
	m.baitUsed = prometheus.NewCounter(counter("bait_used_total", "Alarms of canaries: uses of tokens that nobody should use, at most one a minute for each."))
	m.latency = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: o.Namespace, Subsystem: "store", Name: "duration_seconds",
		Help: "How long calls of the store took, by operation and outcome.", Buckets: o.Buckets,
	}, []string{"operation", "outcome"})
	m.logIns = prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: o.Namespace, Name: "logins_total", Help: "Log-ins with a password, by outcome.",
	}, []string{"outcome"})
	collectors := []prometheus.Collector{
		issued, verified, m.refused, m.revoked, m.restored, m.deleted, m.baitUsed, m.logIns, m.latency,
	}
	for _, c := range collectors {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("registering metrics: %w", err)
		}
	}
	m.issued, m.verified = newByKind(issued), newByKind(verified)
	for _, outcome := range logInOutcomes {
		m.logIns.WithLabelValues(outcome)
	}
	m.succeeded = make(map[string]prometheus.Observer)
	for _, method := range measuredMethods() {
		m.succeeded[method] = m.latency.WithLabelValues(method, outcomeOK)
	}
	return m, nil
}

// byKind holds a counter for each class of token. The first is for the zero
// Class, which only a bug can cause.
type byKind [macaroon.Invite + 1]prometheus.Counter

func newByKind(v *prometheus.CounterVec) (c byKind) {
	for kind, name := range [...]string{0: "none", macaroon.Access: "access", macaroon.Identity: "identity", macaroon.Invite: "invite"} {
		c[kind] = v.WithLabelValues(name)
	}
	return c
}

func (c *byKind) of(t macaroon.Type) prometheus.Counter {
	if kind := t.Class(); int(kind) < len(c) {
		return c[kind]
	}
	return c[0]
}
