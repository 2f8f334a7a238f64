// Package postgres keeps tokens and identities in PostgreSQL 15 or later: the
// backend for applications of several replicas, and for those that have a
// database to look after already.
//
//	s, err := postgres.Open(ctx, "postgres://onezone@db.example.org/onezone", postgres.Options{})
//	...
//	defer s.Close()
//	err = s.Migrate(ctx)
//	...
//	authority, err := macaroon.NewAuthority(s)
//
// [Open] gives a [Store] over a pool of its own, [New] one over a pool of the
// caller's. [Store.Migrate] makes the tables, in a schema of their own; every
// replica may call it at its start. [Store.Watch] lives on LISTEN and NOTIFY.
//
// # Promises
//
//   - A verification ([store.Keys]) is one round trip
//     with a prepared statement, and sees all that was committed before it. It
//     costs the same however many tokens there are. (A pool first pings a
//     connection that was idle for a second, unless its ShouldPing says
//     otherwise.)
//   - Every write is one statement, or one transaction with the row locked:
//     concurrent writers of any number of replicas lose nothing. What the engine
//     refuses because of another transaction is tried again, for a second at
//     most.
//   - A write that returned nil survives a crash of the server, as long as fsync
//     and synchronous_commit are on, which they are unless somebody turned them
//     off. A write that failed because the connection was lost or the context
//     ended may have been done, but never by half.
//   - Changes are told to [Store.Watch] when they are committed, also those that
//     somebody makes by hand.
//
// # What can be lost
//
// With synchronous_commit off, a crash undoes the writes of the last moments,
// revocations among them. So does a failover to a standby that replicates
// asynchronously: tokens come back that were revoked, and uses of invite tokens
// are not counted. Where that must not be, name the standby in
// synchronous_standby_names.
//
// # Read replicas
//
// A store over a pool that leads to a hot standby answers look-ups, listings and
// exports, and fails to write with an error of the environment. So the load of
// verifications spreads: one store over the primary issues and revokes, and each
// verifier has one over a standby near to it.
//
// A verifier at a standby refuses a revoked token when the standby has replayed
// the revocation: after the replication lag, which has no bound unless
// the primary waits. With synchronous_commit set to remote_apply for the one who
// revokes, the revocation returns when every synchronous standby refuses the
// token. A standby has no feed, since LISTEN does not work there; and the feed of
// the primary is no use to a cache of what a standby says, because a change may
// be told before the standby knows of it.
//
// # The feed
//
// Triggers send the notifications within the writing transaction.
// PostgreSQL lets transactions that notify commit one at a time in a database,
// each waiting for the disk, so that about as many are possible in a second as
// the disk can sync; without a feed, concurrent writes share a sync. Tokens that
// callers of one store create at the same time are therefore written by one
// transaction, up to 64 of them: issuing them in parallel does not suffer. Other
// writes do: NoFeed of the [Options] is for those who need more of them, and are content
// with a cache that is as late as its TTL. Verifications are not affected.
//
// A feed counts as up only while it hears itself: see [Store.Watch]. Where it
// cannot, the reason is logged, and a cache serves answers that are at most its
// ShortTTL old.
//
// # Servers that hang
//
// A server that is frozen or unplugged closes no connections. Every call ends with
// its context. Besides, when a call has no answer for a second, its server is asked
// whether it is there, by a connection of its own and before anybody logs in; if
// it does not say within two seconds that it is, the call fails. A connection
// that hung leaves the pool at once.
//
// After a failover, a store that [Open] made from a URL with all hosts writes to
// the new primary, and has its feed from there, within 5 seconds of the promotion.
// A pool of the caller's should set ConnectTimeout and PingTimeout for that. The
// old primary has to be kept from coming back as one (fencing): a process that
// starts then might take it for the primary.
//
// # Poolers
//
// PgBouncer and the like work where they hand out connections by the session. By
// the transaction, they do with two settings:
//
//   - default_query_exec_mode=exec in the URL, for those that know no prepared
//     statements, such as PgBouncer before 1.21;
//   - FeedURL of the [Options], which leads past the pooler: LISTEN is lost on it.
//     Without it there is no feed.
//
// By the statement does not work: transactions are not possible then.
//
// # Settings
//
//   - Size the pool (pool_max_conns) for the verifications under way at once. An
//     update holds a connection while its change function runs, and each
//     [Store.Watch] has one besides the pool. When calls were canceled, as many
//     connections as the pool has may be closing besides it.
//   - Secrets are in the tables as they are. Package
//     [github.com/onezone-go/onezone/store/seal] encrypts them; TLS to the server
//     (sslmode=verify-full) and the rights on the schema are the caller's. A
//     tracer of the pool sees secrets among the arguments of statements; the
//     errors of this package never hold them.
//   - The encoding of the database has to be UTF8; its collation does not matter.
//
// # Other engines
//
// The data path keeps to SQL that CockroachDB (since 22.1, where statements that
// are sent together are one transaction) and YugabyteDB document, too, and
// Migrate does without advisory locks where there are none. CockroachDB has no
// LISTEN and NOTIFY, and YugabyteDB only where it is turned on: set NoFeed in the
// [Options]. The tests of this package run on PostgreSQL, also with
// serializable sessions as those engines have them, and not on those engines.
package postgres
