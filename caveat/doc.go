// Package caveat is the language of conditions that Onezone tokens carry, and
// the vocabulary of identities those conditions speak about.
//
// A caveat is one sentence added to a token: "time < 1571147494",
// "ip = 10.0.0.0/8", "service = opw-*". All caveats of a token must hold, so
// adding one can only take rights away.
//
// # Reading and writing
//
// [Parse] reads a caveat text as it stands in a token, [FromJSON] the object
// form of the REST API, and the typed values ([Time], [IP], [Services], ...)
// build one in Go. Each prints its canonical text with String and its object
// form with MarshalJSON. [Validate] decides whether a caveat may enter a new
// token; FromJSON asks it already.
//
// # Deciding
//
// A caveat is decided at verification, at its use, or at both, each time by a
// function of its own, and only after the signature of the token has been
// verified:
//
//   - [List.Check] decides the caveats of a token against the [Request] that
//     presented it; [Check] decides a single one.
//   - [Authorize] decides whether the caveats that limit the API (api, service,
//     data.*, interface = oneclient) allow an operation on a resource.
//   - [CheckFile] decides whether the data caveats allow a file to be read or
//     written. Services that do not serve files should leave
//     [Request].DataAccess false; tokens with data caveats are then rejected.
//   - [List.CheckKind] decides the caveats of one kind that the verification was told
//     to leave undecided.
//
// [Expiry], [AvailableSpaces] and [AllowedServiceIDs] tell what a list of
// caveats comes to without deciding it, and [OfflineAccess] derives the caveats
// of another token from it.
//
// # Rules
//
// Four rules hold throughout:
//
//   - Unknown fails closed. A text outside the language is read as [Unknown],
//     which never holds; a request that lacks what a caveat asks about (no
//     address, no geo resolver, no clock) does not satisfy it.
//   - Reading is lenient only where the original Onezone is, because what it
//     minted has to be honoured; numbers and address masks are read in their
//     canonical form alone. What may enter a new token is decided by
//     [Validate], which is stricter.
//   - A caveat prints exactly what it says: what passes [Validate] reads back
//     from its text, and from its object form, as the same caveat.
//   - Everything here depends on its arguments alone: no clock, network or global
//     registry is consulted but what the [Request] brings, and no function panics
//     on any caveat, text or request. Only [MustParse] does, which is for
//     constants.
//
// # Extending
//
// An application adds caveats of its own with [NewVocabulary], and makes them
// with [Vocabulary.New]. A vocabulary is a value; texts of its kinds are
// [Unknown] to everyone who does not have it.
//
// An application's caveat is decided with all others when the token is verified,
// by a function that finds what it needs in the context: the application puts it
// there before. What it only learns later it decides later, with [List.CheckKind].
//
// # Compatibility
//
// Every caveat that Onezone writes into a token is read, and means what it means
// there; numbers that are negative or do not fit, and lists past the limit, are
// refused. Texts and objects that this package writes are those of the Onezone
// API, and will not change.
package caveat
