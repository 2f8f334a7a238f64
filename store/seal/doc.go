// Package seal encrypts the secrets of a store at rest.
//
// [New] wraps any store. Someone who reads the database, its backups or its
// replicas then cannot forge tokens or try passwords.
//
//	keys, err := seal.NewStaticKeys(seal.Key{ID: "2026-11", Material: material})
//	...
//	sealed, err := seal.New(ctx, backend, keys, seal.Options{})
//	...
//	authority, err := macaroon.NewAuthority(sealed)
//
// The secrets of named and temporary tokens and the password hashes of
// identities are sealed. All other fields stay readable, because the backend
// searches them.
//
//   - Each secret is encrypted with AES-256-GCM under its own random data key,
//     which is stored next to it. A key of the [KeyRing] wraps the data key: a
//     static key ([NewStaticKeys]) or one of a key management service.
//   - The kind, id and subject of the record are authenticated. A sealed secret
//     that is moved to another record or subject does not open.
//   - Version, id, subject, type, caveats and parent of a named token are
//     authenticated whenever its record is read ([ErrAltered]), so that caveats
//     cannot be removed in the database. Verification uses the caveats in the
//     token itself.
//   - Caveats that the owner added to the record, and whether the token is a
//     canary, are authenticated at every verification too.
//   - A new primary key seals new secrets; the other keys still open old ones.
//     [Store.Reseal] rewrites old secrets, so that old keys can be removed.
//   - A secret that does not open is an operational error. No token becomes
//     invalid because a key is missing.
//   - A secret in clear is rejected ([ErrNotSealed]), because it may have been
//     planted. [Options].AllowPlaintext and [ResealOptions.SealPlaintext] are
//     for stores with existing secrets.
//
// # The canary
//
// A sealed store contains a canary: a sealed record that callers cannot see.
// [New] rejects a store whose canary does not open with the ring.
// [store.CheckSeal] reports a sealed store that is used without this package;
// call it before you serve a store without a seal.
//
// The canary also records whether a [Store.Reseal] was completed. Until then
// [Options].AllowOutdated can open secrets that an earlier release sealed
// without authenticated caveats.
//
// # Limits
//
// Sealing does not hide the length of a secret. It does not prevent someone who
// can write to the database from deleting records, changing other fields and
// last uses, or restoring an older sealed secret. Old secrets also remain in
// files and backups of the database; [Store.Reseal] cleans only those of SQLite.
// See [docs/stores.md] for old copies and for key management services.
//
// [docs/stores.md]:
// https://github.com/onezone-go/onezone/blob/main/docs/stores.md#sealed-stores
package seal
