package seal

import (
	"slices"

	"github.com/onezone-go/onezone/errors"
)

// Errors of secrets that cannot be read. Errors of the store wrap them, or an
// error of the [KeyRing].
var (
	ErrUnknownKey = errors.New("the secret is sealed under a key that is not in the ring")
	ErrCannotOpen = errors.New("the sealed secret does not open: it is damaged, belongs to another record, or was sealed with another key")
	ErrNotSealed  = errors.New("the secret is not sealed")
	ErrOutdated   = errors.New("the secret is sealed in the form of an earlier release: it opens only with AllowOutdated, and not after a complete Reseal")
	ErrAltered    = errors.New("the record was altered outside of the store: its version, type, caveats, parent or the additions of its owner are not those that were sealed")
)

// isRecordError reports whether the error concerns one record, not the key ring
// or the backend.
func isRecordError(err error) bool {
	of := []error{ErrUnknownKey, ErrCannotOpen, ErrNotSealed, ErrOutdated, ErrAltered}
	return slices.ContainsFunc(of, func(target error) bool { return errors.Is(err, target) })
}

// operational returns an error of a key ring as an operational error, even if
// it is in the catalogue: a missing key does not mean a missing token.
func operational(err error) error {
	if _, catalogued := errors.AsType[*errors.Error](err); catalogued {
		return errors.New(err.Error())
	}
	return err
}
