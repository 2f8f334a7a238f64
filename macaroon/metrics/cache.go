package metrics

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
	return registerSnapshot(m, "cache", nil, stats, []series[CacheStats]{
		counter("hits_total", "Look-ups answered from memory.", func(s CacheStats) uint64 { return s.Hits }),
		counter("misses_total", "Look-ups not answered from memory.", func(s CacheStats) uint64 { return s.Misses }),
		counter("loads_total", "Look-ups in the backend.", func(s CacheStats) uint64 { return s.Loads }),
		counter("load_errors_total", "Look-ups in the backend that failed.", func(s CacheStats) uint64 { return s.LoadErrors }),
		counter("flushes_total", "Times that all entries were dropped.", func(s CacheStats) uint64 { return s.Flushes }),
		gauge("entries", "Keys in memory.", func(s CacheStats) float64 { return float64(s.Entries) }),
		gauge("negative_entries", "Unknown keys in memory.", func(s CacheStats) float64 { return float64(s.Negative) }),
		gauge("feed_up", "Whether the feed of the backend is connected.", func(s CacheStats) float64 { return boolean(s.FeedUp) }),
	})
}
