// Package store defines the contract between Onezone tokens and the backends
// that keep their records.
//
// A [Store] keeps three kinds of records: named tokens ([Token]), the secrets
// of temporary tokens (one per subject, with a generation) and identities
// ([Identity]: users and Oneproviders). Beside them it keeps when each named
// token was last used ([Use]). Backends store records atomically and know
// nothing of caveats, passwords or usage rules. The simplest backend is
// [github.com/onezone-go/onezone/store/memory];
// [github.com/onezone-go/onezone/store/sqlite] is the embedded one that
// survives restarts. A backend of your own is correct if it passes
// [github.com/onezone-go/onezone/store/storetest].
//
// Every backend promises:
//
//   - One look-up returns everything that a verification needs ([Keys]).
//   - A crash does not undo a write that returned nil, within the durability
//     that the backend documents. Concurrent updates never overwrite each
//     other.
//   - Values are copied in and out: no slice is shared with the caller.
//   - Errors have two classes. A mistake of the caller is an [*errors.Error] of
//     the catalogue (notFound, alreadyExists, badValueIdentifierOccupied,
//     badData, ...). An operational error wraps its cause and never matches
//     one of these. If the context is already done, every call returns its error
//     and writes nothing.
//
// # Decorators
//
// A decorator that embeds a [Store] passes on every method that it does not
// define. A decorator that hides or changes records, such as one that seals
// secrets, should embed nothing, so that it does not compile until it defines
// each new method of Store.
//
// [*errors.Error]:
// https://pkg.go.dev/github.com/onezone-go/onezone/errors#Error
package store
