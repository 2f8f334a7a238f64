// Package caveat defines the conditions that Onezone tokens carry, called
// caveats, and the users and services that the conditions name.
//
// A caveat is one sentence added to a token: "time < 1571147494",
// "ip = 10.0.0.0/8", "service = opw-*". All caveats of a token must hold, so
// adding one can only remove rights.
//
// # Reading and writing
//
// [Parse] reads the text of a caveat, as tokens hold it. [FromJSON] reads the
// object form of the REST API. The typed values ([Time], [IP], [Services], ...)
// build a caveat in Go. String returns the canonical text of a caveat and
// MarshalJSON its object form. [Validate] decides whether a caveat may enter a
// new token; FromJSON calls it.
//
// # Deciding
//
// Caveats are decided only after the signature of the token has been verified.
// Some are decided during the verification, some when the token is used, some
// at both times:
//
//   - [List.Check] decides the caveats of a token for the [Request] that
//     presented it; [Check] decides one caveat.
//   - [Authorize] decides whether the caveats that limit the API (api, service,
//     data.*, interface = oneclient) allow an operation on a resource.
//   - [CheckFile] decides whether the data caveats allow a file to be read or
//     written. Services that do not serve files should leave
//     [Request].DataAccess false; tokens with data caveats are then rejected.
//   - A verification leaves the kinds in [Request].Ignored undecided.
//     [List.CheckKind] decides one of them later.
//
// [List.Explain] says why each caveat of a token holds or not for an [Attempt],
// what would make it hold, and when that changes. [Narrow] derives the tightest
// caveats from recorded attempts. Both decide with the functions above.
//
// [Expiry], [AvailableSpaces] and [AllowedServiceIDs] summarize a list of
// caveats without deciding it. [OfflineAccess] derives the caveats of an offline
// access token.
//
// # Rules
//
//   - Unknown caveats fail closed. A text outside the language is read as
//     [Unknown], which never holds. A caveat about something that the request
//     lacks (address, geo resolver, clock) does not hold either.
//   - Reading is as lenient as in the original Onezone, because tokens that it
//     issued must remain valid. Numbers and address masks must be in canonical
//     form; negative or too large numbers and too long lists are rejected.
//   - Writing is strict: a caveat that passes [Validate] reads back as the same
//     caveat, from its text and from its object form. Both forms are those of
//     the Onezone API and will not change.
//   - Results depend on the arguments only: the clock, resolvers and group
//     checker come with the [Request]. No function panics on any caveat, text
//     or request, except [MustParse], which is for constants.
//
// # Caveats of an application
//
// An application defines its own kinds of caveats with [NewVocabulary] and
// creates such caveats with [Vocabulary.New]. Without that vocabulary they are
// [Unknown]. They are decided when the token is verified, by a function of the
// application that finds its input in the context. If the input is known only
// later, the application decides them with [List.CheckKind].
package caveat
