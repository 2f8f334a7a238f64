// Package operational marks errors as operational, so that they are never
// mistaken for a verdict on a token or request.
package operational

import (
	"fmt"
	"time"

	"github.com/onezone-go/onezone/errors"
)

// Error wraps an error that an interface of the application or a store returned.
// doing says what was attempted, as a verb phrase. An error of the catalogue is
// kept only as text: in this place a notFound, for instance, is not the answer to
// the client's request.
func Error(doing string, err error) error {
	if _, catalogued := errors.AsType[*errors.Error](err); catalogued {
		return fmt.Errorf("%s: %v", doing, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// RetryAfter returns the time after which an operation that failed with err may
// succeed. ok is false unless an error in the chain has a method RetryAfter
// that returns it.
func RetryAfter(err error) (wait time.Duration, ok bool) {
	e, ok := errors.AsType[interface {
		error
		RetryAfter() time.Duration
	}](err)
	if !ok {
		return 0, false
	}
	return e.RetryAfter(), true
}
