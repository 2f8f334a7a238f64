// Package errors is the error catalogue of the Onezone API: every error that the API can return, as a Go value
// that knows its id, its details, its HTTP status and its JSON form.
//
// The errors that this module returns have constructors, named after their ids and taking what their details need;
// [Make] returns every other one:
//
//	return errors.BadValueString("name")
//	return errors.Make("badValueFloat", map[string]any{"key": "share"})
//
// A caller tells errors apart by id, at any depth of nesting, and answers a request with the status and the
// envelope:
//
//	if errors.Is(err, errors.IDTokenRevoked) { ... }
//	if errors.Expired(err) { ... } // a time caveat that is no longer met
//
//	e := errors.From(err)
//	w.Header().Set("Content-Type", "application/json")
//	w.WriteHeader(e.HTTPStatus())
//	json.NewEncoder(w).Encode(errors.Envelope{Error: e})
//
// The status of an error about a token is 400: an answer to a request that it authenticates is [Unauthorized]
// around it.
//
// The package is a drop-in for the standard one: [New], [Is], [As], [AsType], [Join], [Unwrap] and
// [ErrUnsupported] are the standard library's own.
//
// # Laws
//
//   - An [*Error] is a value: once made it is not changed. Constructors copy what they are given, and the methods
//     that look like changes return copies.
//   - Details are complete at construction and hold plain JSON only: string, bool, int64, [encoding/json.Number]
//     (a number that is no int64), nil, []any, map[string]any, and *Error for a nested error. An error reads the
//     same whether it was constructed here or decoded from JSON.
//   - What the environment did (a cause given to [Error.WithCause], or an error that is not of the catalogue)
//     stays reachable by [Is] and [As] and never shows in a description, in [Error.Error] or in JSON.
//   - Descriptions are written here, for what a constructor is given and for what is read (only an unrecognised
//     error keeps the one it came with). They include the description of a nested error, and end with one period.
//     All are valid UTF-8 without control characters, and have at most 1000 bytes however large the details are.
//   - Decoding never panics, and never loses an error: what the catalogue does not know is kept as it came and
//     written back unchanged.
//
// # Compatibility
//
// Ids, details and statuses are those of the Onezone API and do not change. Descriptions are meant for people and
// may be reworded, except that of badValueString, which the API documents. JSON of both generations of the API is
// read; the older one is written.
package errors
