// Package redis keeps tokens and identities in Redis 7 or newer, or Valkey: on a
// single server, behind Sentinel, or in a Cluster. It is for those who have
// Redis at hand and many verifications to do on many machines: a verification
// costs one round trip, and two of a named token in a Cluster. It costs none
// behind package [github.com/onezone-go/onezone/store/cache], which answers from
// memory until [Store.Watch] reports a change.
//
//	s, err := redis.Open(ctx, "redis://redis.example.org", redis.Options{})
//	...
//	defer s.Close()
//	err = s.Migrate(ctx)
//	...
//	authority, err := macaroon.NewAuthority(s)
//
// [Open] gives a [Store] over connections of its own, [New] one over a
// [rueidis.Client] of the caller's. [Store.Migrate] marks the keys with the
// version of their layout; every replica may call it at its start.
//
// # Durability
//
// Redis acknowledges a write before it is safe, unless it is told otherwise, and
// this package cannot tell it. What the contract of package store promises needs
// these settings of the server:
//
//   - appendonly yes and appendfsync always: no acknowledged write is lost when
//     the server or its machine crashes. With appendfsync everysec, the default,
//     the last second or so is lost when the machine does; with snapshots alone,
//     minutes.
//   - maxmemory-policy noeviction, the default: anything else lets the server
//     forget tokens, and a revocation with them. [Open] and [Store.Migrate] refuse
//     a server that may, unless [Options].AllowEviction is set.
//
// Replication is asynchronous. When a master fails and a replica takes its
// place, writes are lost that were acknowledged and had not reached that replica
// yet: a new token is gone, and a revoked token is good again. No setting rules
// this out; these narrow it:
//
//   - [Options].WaitReplicas makes every write wait until so many replicas have
//     received it. A write that does not reach them in [Options].WaitTimeout is
//     an error of the environment, though it is done on the master: repeat it,
//     and take alreadyExists or notFound for done.
//     As many replicas as there are leave no replica to fail over to that lacks
//     the write, as long as none of them restarts without its data meanwhile.
//   - min-replicas-to-write and min-replicas-max-lag make a master without
//     replicas refuse writes, so that one that was cut off stops soon.
//
// Who must not lose a revocation to a failover uses a single server with
// appendfsync always, or another backend.
//
// # Consistency
//
// Every record is changed by a script that checks what it was made from, so that
// concurrent updates never overwrite each other, whichever clients they come
// from. On a single server and behind Sentinel each call is done at once, or not
// at all. In a Cluster this holds for the records of one subject. Token ids and
// user names are unique over all subjects by pointers elsewhere in the Cluster:
// a client that crashes in between leaves at worst a pointer that leads nowhere,
// which counts as not there and is taken over by who needs it next, after a
// fifth of a second.
//
// An import is all or nothing on a single server. In a Cluster all is checked
// before anything is written, but then the shards are written one after the
// other: clients that read concurrently may see some of the new records and not
// yet the others, and miss a record that changes its subject or user name. After an
// operational error some may be written, and a record that changes its subject may
// be gone from the old one only; importing the same records again completes them.
//
// A call that failed because the connection was lost or the context ended may have
// been done, or be done yet.
//
// Every call reads from the server: the store keeps no record in memory.
//
// [Store.Watch] loses no change of this package without saying so: it subscribes
// where the writes are made, and reports [store.FeedDown] when a connection breaks,
// a shard moves to another server, or the observer is thousands of changes late.
// Once a second it asks each master for its role, by the connection that changes
// come by. So it reports a master that became a replica, and a connection that
// stays open but is dead, two seconds later at the latest.
//
// Only the scripts of this package publish changes. FLUSHALL, FLUSHDB, eviction,
// and keys that are edited or restored by hand are not reported: a cache in front
// of the store shows them when its TTL has passed. Restart the processes that have
// caches, or wait for the TTL, after such an operation.
//
// The client must not read from replicas, which lag. It retries reads until the
// context is done, so give calls a deadline; it never repeats a write, except one
// that a server of a Cluster refused because the shard moves to another.
//
// # Scale
//
// Records are in 64 shards by subject, each of which has its own slot of a
// Cluster: more than about 16 masters gain nothing, and all tokens of one subject
// are on one of them. A named token takes about a kilobyte of memory and a look-up
// costs the same however many there are. A page of one subject's tokens costs two
// round trips; a page of all tokens asks all shards and merges.
//
// # Secrets
//
// Secrets are in the server as they are. Package
// [github.com/onezone-go/onezone/store/seal] encrypts them; TLS (rediss://) and the
// rights of users on the server are the caller's. A user needs EVAL, EVALSHA,
// EVAL_RO and EVALSHA_RO besides the commands for strings, hashes, sorted sets and
// sharded channels.
package redis
