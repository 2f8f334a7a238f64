// Package seal keeps secrets encrypted at rest: [New] puts it in front of any
// store, and whoever reads the database, its backups or its replicas cannot
// forge tokens or try passwords.
//
//	keys, err := seal.NewStaticKeys(seal.Key{ID: "2024-10", Material: store.NewSecret(material)})
//	...
//	sealed, err := seal.New(backend, keys)
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
//   - A new primary key of the ring seals what is written from then on; the
//     others still open. [Store.Reseal] rewrites what is left, after which an
//     old key can go.
//   - A secret that does not open, whatever the reason, is a fault of the
//     environment ([ErrUnknownKey], [ErrCannotOpen], [ErrNotSealed]). It is never
//     reported as an error of the catalogue: no token becomes invalid because a
//     key is missing.
//   - A secret that is not sealed is refused, or else whoever can write to the
//     database could plant one. See [AllowPlaintext] and
//     [ResealOptions.SealPlaintext] for stores that were in use before.
//
// What it does not hide or prevent: how long a secret is, that a record is
// deleted or changed in what is not sealed (a revoked token made valid again),
// and that an older sealed secret of the same record is put back.
//
// Every read of a secret asks the ring once to unwrap, and every write of a new
// one once to wrap. With static keys that takes microseconds. In front of a key
// management service keep a cache (store/cache over the sealed store), and
// remember that an update opens the secret within the backend's transaction.
package seal
