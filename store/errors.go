package store

import "github.com/onezone-go/onezone/errors"

// Operational errors that the errors of calls wrap.
var (
	// ErrClosed: the store is closed. Every later call on a backend returns it.
	ErrClosed = errors.New("the store is closed")
	// ErrSchema: a newer release wrote the data of the backend, or Migrate was
	// not called. Not every backend detects the latter.
	ErrSchema = errors.New("the schema of the store does not fit")
)
