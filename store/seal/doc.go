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
// identities are sealed. Ids, names, caveats and other fields stay readable,
// because the backend searches them.
//
//   - Each secret is encrypted with AES-256-GCM under its own random data key.
//     The data key is stored next to it, wrapped by a key of the [KeyRing]:
//     static keys ([NewStaticKeys]) or a key management service.
//   - The kind, id and subject of the record are authenticated. A sealed secret
//     that is moved to another record or subject does not open.
//   - A digest of version, id, subject, type and caveats is sealed with the
//     secret of a named token and compared whenever the record is read. Someone
//     who can write to the database cannot remove caveats from a token that is
//     shown again ([ErrAltered]). Verification does not read the record, and
//     uses the caveats in the token itself.
//   - A new primary key seals new secrets; the other keys still open old ones.
//     [Store.Reseal] rewrites old secrets, so that old keys can be removed.
//   - A secret that does not open is an operational error ([ErrUnknownKey],
//     [ErrCannotOpen], [ErrNotSealed], [ErrOutdated], [ErrAltered]). No token
//     becomes invalid because a key is missing.
//   - A secret that is not sealed is rejected, because someone who can write to
//     the database could have planted it. [Options].AllowPlaintext and
//     [ResealOptions.SealPlaintext] are for stores with existing secrets.
//
// # The canary
//
// A sealed store contains a canary: a sealed record that callers cannot see.
// [New] rejects a store whose canary does not open with the ring.
// [store.CheckSeal] reports a sealed store that is used without this package;
// call it before you serve a store without a seal.
//
// The canary also records whether all secrets are sealed in the current form.
// Secrets that an earlier release sealed without the digest open only with
// [Options].AllowOutdated, and only until the first complete [Store.Reseal].
//
// # Limits
//
// Sealing does not hide the length of a secret. It does not prevent someone who
// can write to the database from deleting records, changing fields that are not
// sealed, or restoring an older sealed secret. Old secrets also stay in files
// and backups of the database; only SQLite is cleaned by [Store.Reseal].
//
// See [docs/stores.md] for what to do about old copies, and for key management
// services.
//
// [docs/stores.md]:
// https://github.com/onezone-go/onezone/blob/main/docs/stores.md#sealed-stores
package seal
