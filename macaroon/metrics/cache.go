package metrics

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// CacheStats has the same fields as Stats of package store/cache, so that Stats
// converts to it. This package therefore does not import the cache.
type CacheStats struct {
	Hits       uint64 // look-ups answered from memory
	Misses     uint64 // all others
	Loads      uint64 // look-ups in the backend
	LoadErrors uint64 // loads that failed with an operational error
	Flushes    uint64 // times that all entries were dropped
	Entries    int    // keys in memory now
	Negative   int    // unknown keys in memory now
	FeedUp     bool   // the feed of the backend stands now
}

// Cache registers the series of a cache. Each scrape calls stats once:
//
//	err := m.Cache(func() metrics.CacheStats { return metrics.CacheStats(cached.Stats()) })
//
// They are onezone_cache_hits_total, _misses_total, _loads_total,
// _load_errors_total and _flushes_total, and onezone_cache_entries,
// _negative_entries and _feed_up (1 or 0). The error is that of the registerer.
func (m *Metrics) Cache(stats func() CacheStats) error {
	c := cacheCollector{stats: stats}
	for _, s := range cacheSeries {
		name := prometheus.BuildFQName(m.namespace, "cache", s.name)
		c.descs = append(c.descs, prometheus.NewDesc(name, s.help, nil, nil))
	}
	if err := m.registerer.Register(&c); err != nil {
		return fmt.Errorf("registering metrics of the cache: %w", err)
	}
	return nil
}

var cacheSeries = []struct {
	name, help string
	kind       prometheus.ValueType
	value      func(CacheStats) float64
}{
	{"hits_total", "Look-ups answered from memory.", prometheus.CounterValue, func(s CacheStats) float64 { return float64(s.Hits) }},
	{"misses_total", "Look-ups not answered from memory.", prometheus.CounterValue, func(s CacheStats) float64 { return float64(s.Misses) }},
	{"loads_total", "Look-ups in the backend.", prometheus.CounterValue, func(s CacheStats) float64 { return float64(s.Loads) }},
	{"load_errors_total", "Look-ups in the backend that failed.", prometheus.CounterValue, func(s CacheStats) float64 { return float64(s.LoadErrors) }},
	{"flushes_total", "Times that all entries were dropped.", prometheus.CounterValue, func(s CacheStats) float64 { return float64(s.Flushes) }},
	{"entries", "Keys in memory.", prometheus.GaugeValue, func(s CacheStats) float64 { return float64(s.Entries) }},
	{"negative_entries", "Unknown keys in memory.", prometheus.GaugeValue, func(s CacheStats) float64 { return float64(s.Negative) }},
	{"feed_up", "Whether the feed of the backend is connected.", prometheus.GaugeValue, func(s CacheStats) float64 {
		if s.FeedUp {
			return 1
		}
		return 0
	}},
}

// cacheCollector collects all series of a cache with one call of stats.
type cacheCollector struct {
	stats func() CacheStats
	descs []*prometheus.Desc
}

// Describe implements [prometheus.Collector].
func (c *cacheCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		out <- d
	}
}

// Collect implements [prometheus.Collector].
func (c *cacheCollector) Collect(out chan<- prometheus.Metric) {
	now := c.stats()
	for i, s := range cacheSeries {
		out <- prometheus.MustNewConstMetric(c.descs[i], s.kind, s.value(now))
	}
}
