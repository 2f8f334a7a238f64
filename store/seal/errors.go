package seal

import (
	"slices"

	"github.com/onezone-go/onezone/errors"
)

// Why a secret cannot be read. Errors of the store wrap them, or what the
// [KeyRing] returned.
var (
	ErrUnknownKey = errors.New("the key that the secret is sealed under is not in the ring")
	ErrCannotOpen = errors.New("the sealed secret does not open: it is damaged, belongs to another record, or the key is another")
	ErrNotSealed  = errors.New("the secret is not sealed")
	ErrOutdated   = errors.New("the secret is sealed in the form of an earlier release: it opens with AllowOutdated alone, and not after a complete Reseal")
	ErrAltered    = errors.New("the record was altered outside of the store: version, type or caveats are not those of its token")
)

// isOfRecord reports whether the error is about one record, rather than about
// the key ring or the backend.
func isOfRecord(err error) bool {
	of := []error{ErrUnknownKey, ErrCannotOpen, ErrNotSealed, ErrOutdated, ErrAltered}
	return slices.ContainsFunc(of, func(target error) bool { return errors.Is(err, target) })
}

// operational makes what a key ring returned an operational error, even if it is
// an error of the catalogue: a key that is not found is no token that is not
// found.
func operational(err error) error {
	if _, catalogued := errors.AsType[*errors.Error](err); catalogued {
		return errors.New(err.Error())
	}
	return err
}
