// Package redis keeps tokens and identities in Redis 7 or later, or in Valkey.
//
// It works with a single server, Sentinel or a Cluster. A verification costs
// one round trip; that of a named token in a Cluster costs two. Behind package
// [github.com/onezone-go/onezone/store/cache] it costs none until [Store.Watch]
// reports a change.
//
//	s, err := redis.Open(ctx, "redis://redis.example.org", redis.Options{})
//	...
//	defer s.Close()
//	err = s.Migrate(ctx)
//	...
//	authority, err := macaroon.NewAuthority(s)
//
// [Open] creates a [Store] with its own connections, and [New] uses a
// [rueidis.Client] of the caller. Every replica may call [Store.Migrate] at
// startup.
//
// # Durability
//
// Redis acknowledges a write before it is durable unless the server sets
// appendonly yes and appendfsync always. A failover may lose acknowledged
// writes, including revocations; [Options].WaitReplicas reduces the risk.
// [Open] and [Store.Migrate] reject a server that may evict keys, unless
// [Options].AllowEviction is set.
//
// # Consistency
//
//   - A script makes every change, and first checks that the record is
//     unchanged since it was read. Concurrent updates never overwrite each
//     other.
//   - On a single server and behind Sentinel every call is atomic. In a Cluster
//     a call is atomic for the records of one subject, and an import for the
//     records of one shard.
//   - A call that failed because the connection was lost or the context ended
//     may have been done, or may still be done.
//   - [Store.Watch] reports [store.FeedDown] when a connection breaks, a shard
//     moves, or the observer is thousands of changes late. It reports a dead
//     connection, or a master that became a replica, within two seconds.
//   - Only the scripts of this package publish changes. After FLUSHALL, or
//     after keys were edited or restored by hand, restart the processes that
//     have caches.
//   - The client must not read from replicas, because they lag. It retries
//     reads until the context is done, so give calls a deadline. It retries a
//     write only if a Cluster rejected it because the shard is moving. A call
//     may outlast its context while a connection is opened, for at most
//     dial_timeout of the URL.
//
// Secrets are stored in clear; package
// [github.com/onezone-go/onezone/store/seal] encrypts them. See
// [docs/stores.md] for server settings, failovers, Clusters, sizing and
// permissions.
//
// [docs/stores.md]:
// https://github.com/onezone-go/onezone/blob/main/docs/stores.md#redis
package redis
