// Package postgres keeps tokens and identities in PostgreSQL 15 or later.
//
// Use it for applications with several replicas, or if you already run
// PostgreSQL.
//
//	s, err := postgres.Open(ctx, "postgres://onezone@db.example.org/onezone", postgres.Options{})
//	...
//	defer s.Close()
//	err = s.Migrate(ctx)
//	...
//	authority, err := macaroon.NewAuthority(s)
//
// [Open] creates a [Store] with its own connection pool, and [New] uses a pool
// of the caller. [Store.Migrate] creates the tables in their own schema; every
// replica may call it at startup. [Store.Watch] uses LISTEN and NOTIFY.
//
// # Promises
//
//   - A verification ([store.Keys]) is one round trip with a prepared statement
//     and sees all earlier commits. Its cost does not depend on the number of
//     tokens. A connection that was idle for more than a second is pinged
//     first.
//   - Every write is one statement, or one transaction with a locked row.
//     Concurrent writers lose no update. The store retries serialization
//     failures and deadlocks for at most a second.
//   - A write that returned nil survives a crash of the server if fsync and
//     synchronous_commit are on, which is the default. A failover to an
//     asynchronous standby may lose it.
//   - A write that failed because the connection was lost or the context ended
//     may have been committed, but never partly.
//   - Every call ends when its context is done. A call to a server that hangs
//     fails within about three seconds.
//   - [Store.Watch] reports changes when they are committed, including changes
//     made with SQL by hand.
//
// # Limits
//
//   - The feed limits writes other than creating tokens to about one per disk
//     sync. [Options].NoFeed removes the feed and the limit.
//   - A store over a hot standby answers reads only and has no feed.
//   - Behind a pooler in transaction mode set [Options].FeedURL.
//   - Secrets are stored in clear; package
//     [github.com/onezone-go/onezone/store/seal] encrypts them.
//
// See [docs/stores.md] for replication, failovers, poolers, pool sizes and
// compatible engines.
//
// [docs/stores.md]:
// https://github.com/onezone-go/onezone/blob/main/docs/stores.md#postgresql
package postgres
