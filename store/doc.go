// Package store is the contract between Onezone tokens and the place where
// their records are kept.
//
// A [Store] keeps three kinds of records: named tokens ([Token]), the secrets
// of temporary tokens (one per subject, with a generation) and identities
// ([Identity]: users and Oneproviders). Backends are dumb: they keep records,
// atomically, and know nothing of caveats, passwords or usage rules. The
// simplest is [github.com/onezone-go/onezone/store/memory], and
// [github.com/onezone-go/onezone/store/sqlite] the embedded one that lasts; a
// backend of your own is right when it passes
// [github.com/onezone-go/onezone/store/storetest].
//
// What every backend promises:
//
//   - One look-up gives all that a verification needs ([Keys]).
//   - A write that returned nil is not undone by a crash, within the durability
//     that the backend documents; concurrent updates never overwrite each other.
//   - Values are copied in and out: no slice is shared with the caller.
//   - Errors of two classes, never confused: what the caller got wrong is an
//     [*errors.Error] of the catalogue (notFound, alreadyExists,
//     badValueIdentifierOccupied, badData, ...); what the environment did is
//     wrapped with %w and matches none of these. A context that is already
//     done makes every call fail with its error and write nothing.
//
// # Decorators
//
// A decorator that embeds a [Store] passes on whatever it does not write out. One
// that hides or changes what is kept, such as the secrets, should embed nothing:
// then the compiler tells when the contract grows.
//
// [*errors.Error]: https://pkg.go.dev/github.com/onezone-go/onezone/errors#Error
package store
