package errors

import (
	"encoding/json"
	"fmt"
	"maps"
)

// ID names an error of the catalogue, in the exact spelling of the API:
// "badValueString". It implements error only so that it can be a target of
// [Is]:
//
//	errors.Is(err, errors.IDTokenRevoked)
//
// Functions should return the result of a constructor, never an ID.
type ID string

// Error returns the id.
func (id ID) Error() string { return string(id) }

// Error is an error of the catalogue, or an unrecognized error that was read
// from JSON.
//
// The constructors set all fields. Callers must not change an Error; goroutines
// may share one. All methods accept a nil receiver.
type Error struct {
	// ID identifies the error. It is empty only for an unrecognized error
	// without an id.
	ID ID
	// Details are the values of the error as plain JSON; nil if it has no
	// details.
	Details map[string]any
	// Description is one or more sentences for people.
	Description string

	original []byte // the JSON of an unrecognized error, to be written back
	cause    error
}

// Error returns the id and the description: `badValueString: Bad value:
// provided "name" must be a string.` The description includes that of a nested
// error: "unauthorized: The given authentication is not valid for this
// operation: The token was revoked."
func (e *Error) Error() string {
	if e == nil {
		return "no error"
	}
	if e.ID == "" {
		return "unrecognized error: " + e.description()
	}
	return sanitize(string(e.ID)) + ": " + e.description()
}

// HTTPStatus returns the HTTP status code of an answer with the error. The
// outer error decides, not a nested one, except for errorOnNodes. The status is
// 500 for an unrecognized error, and for nil, so that a nil *Error in an error
// value is never answered as a success.
func (e *Error) HTTPStatus() int {
	if e == nil || e.original != nil {
		return statusInternal
	}
	entry, ok := lookup(e.ID)
	switch {
	case !ok:
		return statusInternal
	case entry.status == 0:
		return e.nested().HTTPStatus()
	default:
		return entry.status
	}
}

// Is reports whether target is the [ID] of e, recognized or not. The functions
// [Is] and [Expired] call it, and also examine nested errors and causes.
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

// Unwrap returns the nested error, the cause given to [Error.WithCause], both
// joined, or nil. The nested error is the authError, tokenError, specificError
// or error in the details.
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

// WithCause returns a copy of e that also unwraps to err, the operational error
// that led to e. An example is the failed look-up behind a
// tokenCaveatUnverified. [Is] and [As] find the cause; JSON and [Error.Error]
// never include it. Earlier causes of e are kept. A nil err adds nothing.
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

// From returns the outermost *Error in err, or an internalServerError without a
// reference if err has none. The rest of err becomes the cause. It returns nil
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
		c.cause = err // contains e with its causes
		return c
	}
	return InternalServerError("").WithCause(err)
}

// Make returns the error of the catalogue with the id. It is for errors without
// a constructor:
//
//	errors.Make("posix", map[string]any{"errno": "enoent"})
//
// The details are nil or any value that marshals to the JSON object of the
// error's details. An id outside the catalogue and details that do not fit it
// are programming errors: Make then returns an internalServerError whose cause
// describes the mistake.
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
	return newError(id, d)
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

// description returns the description. An Error that no constructor made may
// lack one.
func (e *Error) description() string {
	if e.Description != "" {
		return e.Description
	}
	return describe(e.ID, e.Details)
}

// newError returns the error id with the details, which it does not copy.
func newError(id ID, d details) *Error {
	return &Error{ID: id, Details: d, Description: describe(id, d)}
}

// withDescription sets the description of e, which must not be shared yet, and returns
// e.
func (e *Error) withDescription(format string, args ...any) *Error {
	e.Description = endSentence(fmt.Sprintf(format, args...))
	return e
}

// toCatalogued returns err as an error of the catalogue for use as a detail. The detail
// must not be null: nil becomes an internalServerError.
func toCatalogued(err error) *Error {
	if e := From(err); e != nil {
		return e
	}
	return InternalServerError("")
}
