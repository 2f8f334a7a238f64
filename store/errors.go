package store

import "github.com/onezone-go/onezone/errors"

// What the environment may be up to, wrapped in the errors of calls.
var (
	// ErrClosed: the store is closed, as every later call on a backend finds.
	ErrClosed = errors.New("the store is closed")
	// ErrSchema: what the backend keeps was written by a newer release, or
	// Migrate was not called, which not every backend can tell.
	ErrSchema = errors.New("the schema of the store does not fit")
)
