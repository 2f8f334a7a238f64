// Package seal keeps secrets encrypted at rest: [New] puts it in front of any
// store, and whoever reads the database, its backups or its replicas cannot
// forge tokens or try passwords.
//
//	keys, err := seal.NewStaticKeys(seal.Key{ID: "2026-11", Material: material})
//	...
//	sealed, err := seal.New(ctx, backend, keys, seal.Options{})
//	...
//	authority, err := macaroon.NewAuthority(sealed)
//
// Sealed are the secrets of named tokens, those of temporary tokens and the
// password hashes of identities; ids, names, caveats and all else stay readable,
// since the backend has to search them. It works like this:
//
//   - Each secret is encrypted with AES-256-GCM under a data key of its own,
//     which is drawn at random at each write. The data key is kept next to it,
//     wrapped by a key of the [KeyRing]: static keys ([NewStaticKeys]) or a key
//     management service.
//   - Kind, id and subject of the record are authenticated with both. A sealed
//     secret that somebody moved to another record does not open, nor does that
//     of a token which was given to another subject.
//   - A digest of version, id, subject, type and caveats is sealed with the secret
//     of a named token, and compared wherever the record is read. Somebody who can
//     write the database cannot have a token shown again without its caveats
//     ([ErrAltered]). A verification looks up the key alone, as it does without a
//     seal: there the text of the token decides.
//   - A new primary key of the ring seals what is written from then on; the
//     others still open. [Store.Reseal] rewrites what is left, after which an
//     old key can go.
//   - A secret that does not open, whatever the reason, is an operational error
//     ([ErrUnknownKey], [ErrCannotOpen], [ErrNotSealed], [ErrOutdated],
//     [ErrAltered]). It is never reported as an error of the catalogue: no token
//     becomes invalid because a key is missing.
//   - A secret that is not sealed is refused, or else whoever can write to the
//     database could plant one. See [Options].AllowPlaintext and
//     [ResealOptions.SealPlaintext] for stores that were in use before.
//
// # The canary
//
// A sealed store holds a canary: a sealed record that is not shown. [New] refuses
// a store whose canary does not open with the ring, and [store.CheckSeal] one
// that is used without a seal: call it before you serve a store without one. An
// authority writes no new secret to a store with a canary that it can see, and
// never takes a sealed secret for a key ([store.ErrSealed]). Copies of a backend
// have the canary, too; copies of the sealed store do not.
//
// The canary also tells which secrets open. Those that an earlier release sealed,
// without the digest, open with [Options].AllowOutdated until the first complete
// [Store.Reseal], and are refused after it and without the option ([ErrOutdated]).
// The option matters because the canary can be deleted, or put back from a backup,
// by whoever can write to the database.
//
// # What stays in files and backups
//
// Sealing a store that was in use, or replacing a key that became known, leaves
// the old secrets where the backend keeps what was overwritten:
//
//   - SQLite: Reseal ends with VACUUM and an empty write-ahead log
//     ([github.com/onezone-go/onezone/store/sqlite.Store.Scrub]).
//   - PostgreSQL: run VACUUM FULL on the tables tokens, temporary_keys and
//     identities in the schema of the store, which locks each while it is written
//     anew, and then CHECKPOINT. Delete archived WAL and base
//     backups from before; WAL segments that the server recycles hold old bytes
//     until they are written again (pg_switch_wal and a checkpoint hasten that).
//     Standbys follow, replication slots that lag keep WAL.
//   - Redis: run BGREWRITEAOF where appendonly is on, and BGSAVE, on every
//     master and replica. Delete older RDB files, AOF files and backups.
//   - All of them: snapshots of disks and the free blocks of file systems keep
//     what they have. Where that matters revoke the tokens that were issued and
//     have passwords changed, or destroy the disk.
//
// # Limits
//
// What it does not hide or prevent: how long a secret is; that a record is deleted
// or changed in what is not sealed (a revoked token made valid again); that an
// older sealed secret of the same record is put back, the canary's included: with
// [Options].AllowPlaintext or [Options].AllowOutdated, an older canary makes readable again what
// the option allows.
//
// Every read of a secret asks the ring once to unwrap, and every write of a new
// one once to wrap. With static keys that takes microseconds. In front of a key
// management service keep a cache (store/cache over the sealed store), and
// remember that an update opens the secret within the backend's transaction.
package seal
