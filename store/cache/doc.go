// Package cache answers verifications from the memory of the process, whatever
// the store behind it: [New] puts it in front of any store.
//
//	cached, err := cache.New(backend, cache.Options{})
//	...
//	defer cached.Close()
//	authority, err := macaroon.NewAuthority(cached)
//
// It keeps the answers of NamedKey and TemporaryKey, also that there is no such
// key, and nothing else: all other calls go to the backend.
//
// # How old an answer can be
//
//   - What was written through this cache is seen by each look-up that begins
//     afterwards, whatever others are under way at that time.
//   - What was written elsewhere is seen when the backend's feed
//     ([store.Watcher]) reports it: each change drops the answers that depend on
//     it. A token revoked on one replica is refused by the others within the
//     latency of the feed. Until then a look-up may show the old or the new, and
//     the old after the new.
//   - While no feed stands, because it is lost or the backend has none, an answer
//     is at most [Options.ShortTTL] old, 2 seconds by default. Each time the feed
//     is lost and comes back everything is dropped, since changes were missed.
//   - In any case an answer is at most [Options.TTL] old, and that a key is
//     unknown is believed for [Options.NegativeTTL].
//
// # What it costs
//
// Answers are kept for a bounded number of keys, apart from a bounded number of
// unknown ones, so that forged ids push no good answer out. An answer takes about
// 450 bytes, and 32 for each revoked copy of its token: a cache that is full with
// the default of 100,000 answers takes less than 60 MiB. A change removes the
// answers about what changed at once; those that are too old, or about a subject
// that changed, are removed within one [Options.TTL]. Concurrent look-ups
// of one key make one look-up in the backend; it goes on when the caller that
// began it gives up, as others may wait for it. Errors of the environment are
// never kept.
//
// Whether an answer is still good is told by counters, 65,536 of them for all
// keys: a change now and then drops an answer that has nothing to do with it,
// but never keeps one that has.
//
// The secrets of the answers are in memory until they are removed. Over a sealed store they are open,
// which is what spares asking its ring of keys each time.
package cache
