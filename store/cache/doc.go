// Package cache answers verifications from the memory of the process.
//
// [New] puts a cache in front of any store:
//
//	cached, err := cache.New(backend, cache.Options{})
//	...
//	defer cached.Close()
//	authority, err := macaroon.NewAuthority(cached)
//
// The cache keeps only the answers of NamedKey and TemporaryKey, including the
// answer that a key does not exist. All other calls go to the backend.
//
// # How old an answer can be
//
//   - A write through this cache is seen by every look-up that begins after it,
//     even while other look-ups are in flight.
//   - A write by another process is seen when the feed of the backend
//     ([store.Watcher]) reports it: each change drops the answers that depend
//     on it. The other replicas reject a revoked token within the latency of
//     the feed. Until then a look-up may return the old or the new state, even
//     the old one after the new one.
//   - While the feed is disconnected, or if the backend has none, an answer is
//     at most [Options.ShortTTL] old, 2 seconds by default. All answers are
//     dropped each time the feed disconnects or reconnects, because changes
//     were missed.
//   - An answer is never older than [Options.TTL]. The answer that a key is
//     unknown is kept for at most [Options.NegativeTTL].
//
// # What it costs
//
// The cache bounds the number of known keys and, separately, of unknown keys,
// so forged ids evict no valid answer. An answer takes about 450 bytes, plus 32
// for each revoked copy of its token: a full cache with the default of 100,000
// answers takes less than 60 MiB. A change evicts the answers about that record
// at once. Answers that expired, or whose subject changed, are evicted within
// one [Options.TTL].
//
// Concurrent look-ups of one key share one look-up in the backend. It continues
// if the caller that started it gives up, because others may wait for it.
// Operational errors are never cached.
//
// Counters, 65,536 for all keys, tell whether an answer is still current. Keys
// share counters, so a change occasionally drops an unrelated answer, but never
// keeps an outdated one.
//
// The secrets of cached answers are in memory until they are evicted. Over a
// sealed store they are cached in clear, which saves a call to the key ring on
// each verification.
package cache
