package metrics

import (
	"fmt"

	// The client library of Prometheus itself.
	"github.com/prometheus/client_golang/prometheus"
)

// series is a value in a snapshot of counters.
type series[S any] struct {
	name, help string
	kind       prometheus.ValueType
	label      [2]string // name and value; zero: none
	value      func(S) float64
}

// counter returns the series of a counter without labels.
func counter[S any](name, help string, value func(S) uint64) series[S] {
	return series[S]{name: name, help: help, kind: prometheus.CounterValue, value: func(s S) float64 { return float64(value(s)) }}
}

// gauge returns the series of a gauge without labels.
func gauge[S any](name, help string, value func(S) float64) series[S] {
	return series[S]{name: name, help: help, kind: prometheus.GaugeValue, value: value}
}

// labeled returns the series with a label.
func (s series[S]) labeled(name, value string) series[S] {
	s.label = [2]string{name, value}
	return s
}

// boolean returns 1 for true and 0 for false.
func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// registerSnapshot registers series whose values come from one call of stats
// for each scrape. All of them have the labels.
func registerSnapshot[S any](m *Metrics, subsystem string, labels prometheus.Labels, stats func() S, all []series[S]) error {
	c := &collector[S]{stats: stats, series: all}
	for _, s := range all {
		var variable []string
		if s.label[0] != "" {
			variable = []string{s.label[0]}
		}
		c.descs = append(c.descs, prometheus.NewDesc(prometheus.BuildFQName(m.namespace, subsystem, s.name), s.help, variable, labels))
	}
	if err := m.registerer.Register(c); err != nil {
		return fmt.Errorf("registering metrics of %s: %w", subsystem, err)
	}
	return nil
}

// collector collects all series of a snapshot with one call of stats.
type collector[S any] struct {
	stats  func() S
	series []series[S]
	descs  []*prometheus.Desc
}

func (c *collector[S]) Describe(out chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		out <- d
	}
}

func (c *collector[S]) Collect(out chan<- prometheus.Metric) {
	now := c.stats()
	for i, s := range c.series {
		var values []string
		if s.label[0] != "" {
			values = []string{s.label[1]}
		}
		out <- prometheus.MustNewConstMetric(c.descs[i], s.kind, s.value(now), values...)
	}
}
