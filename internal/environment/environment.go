// Package environment keeps what others say of their own trouble from passing for
// a word about a token.
package environment

import (
	"fmt"

	"github.com/onezone-go/onezone/errors"
)

// Error wraps what somebody returned who was asked about a token or a request. An
// error of the catalogue is none of the token there, and is kept as text only:
// somebody who is not found would pass for the answer to the request.
func Error(doing string, err error) error {
	if _, catalogued := errors.AsType[*errors.Error](err); catalogued {
		return fmt.Errorf("%s: %v", doing, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}
