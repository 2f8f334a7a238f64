// Package errors is the error catalogue of the Onezone API: each error has an
// id, details, an HTTP status and a JSON form.
//
// The errors that this module returns have constructors, which are named after
// their ids and take their details as arguments. [Make] returns all others:
//
//	return errors.BadValueString("name")
//	return errors.Make("badValueFloat", map[string]any{"key": "share"})
//
// A caller distinguishes errors by id, at any depth of nesting, and answers a
// request with the status and the envelope:
//
//	if errors.Is(err, errors.IDTokenRevoked) { ... }
//	if errors.Expired(err) { ... } // a time caveat no longer holds
//
//	e := errors.From(err)
//	w.Header().Set("Content-Type", "application/json")
//	w.WriteHeader(e.HTTPStatus())
//	json.NewEncoder(w).Encode(errors.Envelope{Error: e})
//
// The status of an error about a token is 400. To refuse a request because of
// the token that authenticates it, wrap the error with [Unauthorized].
//
// The package is a drop-in replacement for the standard one: [New], [Is], [As],
// [AsType], [Join], [Unwrap] and [ErrUnsupported] are those of the standard
// library.
//
// # Rules
//
//   - An [*Error] does not change after it was made. Constructors copy their
//     arguments, and [Error.WithCause] returns a copy.
//   - Details are complete at construction and hold plain JSON only: string,
//     bool, int64, [encoding/json.Number] (a number that int64 cannot hold),
//     nil, []any and map[string]any. A nested error is an *Error. An error that
//     was constructed equals the same error decoded from JSON.
//   - Operational errors (causes given to [Error.WithCause], and errors outside
//     the catalogue) are found by [Is] and [As], but never appear in a
//     description, in [Error.Error] or in JSON.
//   - This package writes the descriptions, also those of errors read from
//     JSON; only an unrecognized error keeps its own. A description includes
//     that of the nested error and ends with one period. It is valid UTF-8
//     without control characters and has at most 1000 bytes, whatever the
//     details are.
//   - Decoding never panics and never loses an error: an error that the
//     catalogue does not know is kept and written back unchanged.
//
// # Compatibility
//
// Ids, details and statuses are those of the Onezone API and do not change.
// Descriptions are for people and may be reworded, except that of
// badValueString, which the API documents. JSON of both generations of the API
// is read; the older one is written.
package errors
