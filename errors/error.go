package errors

import (
	"encoding/json"
	"fmt"
	"maps"
)

// ID names an error of the catalogue, in the exact spelling of the API: "badValueString". It is an error itself
// only so that it can be a target of [Is]:
//
//	errors.Is(err, errors.IDTokenRevoked)
//
// Return what a constructor makes, not an ID.
type ID string

// Error returns the id.
func (id ID) Error() string { return string(id) }

// Error is an error of the catalogue, or one that was read from JSON and is not in the catalogue.
//
// The constructors fill in every field. Treat an Error as immutable; two goroutines may share one. All methods
// accept a nil receiver.
type Error struct {
	// ID tells which error it is. It is empty only for an unrecognised error that had none.
	ID ID
	// Details are the values that belong to the error, as plain JSON values; nil when there are none.
	Details map[string]any
	// Description is one or more sentences for people.
	Description string

	original []byte // the JSON of an unrecognised error, to be written back
	cause    error
}

// Error returns the id and the description: `badValueString: Bad value: provided "name" must be a string.` The
// description of an error with another one nested in it includes the nested description:
// "unauthorized: The given authentication is not valid for this operation: The token was revoked."
func (e *Error) Error() string {
	if e == nil {
		return "no error"
	}
	if e.ID == "" {
		return "unrecognised error: " + e.description()
	}
	return plain(string(e.ID)) + ": " + e.description()
}

// HTTPStatus returns the HTTP status code of the answer that carries the error. The status of an outer error
// counts, not that of a nested one, except for errorOnNodes. It is 500 for an unrecognised error, and for nil:
// a nil *Error that has slipped into an error value must not be answered as a success.
func (e *Error) HTTPStatus() int {
	if e == nil || e.original != nil {
		return statusInternal
	}
	entry, ok := lookup(e.ID)
	switch {
	case !ok:
		return statusInternal
	case entry.status == statusOfNested:
		return e.nested().HTTPStatus()
	default:
		return entry.status
	}
}

// Is reports whether target is the [ID] of e, recognised or not. It serves [Is] and [Expired], which also look at
// nested errors and causes.
func (e *Error) Is(target error) bool {
	if e == nil {
		return false
	}
	switch target := target.(type) {
	case ID:
		return e.ID == target
	case expired:
		return e.isExpired()
	default:
		return false
	}
}

// Unwrap returns the nested error (authError, tokenError, specificError or error of the details), the cause given
// to [Error.WithCause], both joined, or nil.
func (e *Error) Unwrap() error {
	if e == nil {
		return nil
	}
	switch nested := e.nested(); {
	case nested == nil:
		return e.cause
	case e.cause == nil:
		return nested
	default:
		return Join(nested, e.cause)
	}
}

// WithCause returns a copy of e that also unwraps to err: what happened in the environment and led to e, such as
// the failed lookup behind a tokenCaveatUnverified. The cause is for [Is] and [As] on this side of the API; it
// shows neither in JSON nor in [Error.Error]. A cause that e has already is kept. A nil err adds nothing.
func (e *Error) WithCause(err error) *Error {
	if e == nil {
		return nil
	}
	c := *e
	c.Details = maps.Clone(e.Details)
	switch {
	case err == nil:
	case c.cause == nil:
		c.cause = err
	default:
		c.cause = Join(c.cause, err)
	}
	return &c
}

// From returns err as an error of the catalogue: the outermost *Error in it, and without one an
// internalServerError without a reference. Whatever else err is made of stays reachable as the cause. It is nil
// for nil and for a nil *Error.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := err.(*Error); ok {
		return e
	}
	if e, ok := AsType[*Error](err); ok && e != nil {
		c := e.WithCause(nil)
		c.cause = err // contains e with the causes that it has
		return c
	}
	return InternalServerError("").WithCause(err)
}

// Make returns an error of the catalogue by its id. It is for the errors that have no constructor:
//
//	errors.Make("posix", map[string]any{"errno": "enoent"})
//
// The details are anything that marshals to the JSON object of the error's details, or nil. An id that is not in the
// catalogue and details that do not fit it are mistakes in the program: they yield an internalServerError with the
// mistake as its cause.
func Make(id ID, details any) *Error {
	raw, err := json.Marshal(details)
	if err != nil {
		return From(fmt.Errorf("make the error %q: %w", string(id), err))
	}
	entry, ok := lookup(id)
	if !ok {
		return From(fmt.Errorf("make the error %q: it is not in the catalogue", string(id)))
	}
	d, ok := entry.readDetails(raw, 0)
	if !ok {
		return From(fmt.Errorf("make the error %q: its details do not fit the catalogue", string(id)))
	}
	return raise(id, d)
}

// nested returns the error in e's details, or nil.
func (e *Error) nested() *Error {
	for _, key := range []string{"authError", "tokenError", "specificError", "error"} {
		if inner, ok := e.Details[key].(*Error); ok && inner != nil {
			return inner
		}
	}
	return nil
}

// description returns the description, which an Error that was not made by a constructor may lack.
func (e *Error) description() string {
	if e.Description != "" {
		return e.Description
	}
	return describe(e.ID, e.Details)
}

// raise makes the error id, the details of which the caller has already cloned.
func raise(id ID, d details) *Error {
	return &Error{ID: id, Details: d, Description: describe(id, d)}
}

// saying returns e, which nobody else has seen yet, with a description made of a format and its arguments.
func (e *Error) saying(format string, args ...any) *Error {
	e.Description = finish(fmt.Sprintf(format, args...))
	return e
}

// nest returns the catalogued form of an error that becomes a detail. The API has no place for "no error" there.
func nest(err error) *Error {
	if e := From(err); e != nil {
		return e
	}
	return InternalServerError("")
}
