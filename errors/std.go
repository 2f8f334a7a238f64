package errors

import "errors"

// ErrUnsupported is [errors.ErrUnsupported] of the standard library.
var ErrUnsupported = errors.ErrUnsupported

// New is [errors.New] of the standard library. The error is outside the
// catalogue.
func New(text string) error { return errors.New(text) }

// Is is [errors.Is] of the standard library. The target may be an [ID].
func Is(err, target error) bool { return errors.Is(err, target) }

// As is [errors.As] of the standard library.
func As(err error, target any) bool { return errors.As(err, target) }

// AsType is [errors.AsType] of the standard library. AsType[*Error](err)
// returns the outermost error of the catalogue in err.
func AsType[E error](err error) (E, bool) { return errors.AsType[E](err) }

// Join is [errors.Join] of the standard library.
func Join(errs ...error) error { return errors.Join(errs...) }

// Unwrap is [errors.Unwrap] of the standard library.
func Unwrap(err error) error { return errors.Unwrap(err) }
