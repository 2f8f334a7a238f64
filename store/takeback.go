package store

import (
	"context"
	"fmt"
	"time"

	"github.com/onezone-go/onezone/errors"
)

// takeBackTimeout is how long the removal of a token may take that was created and
// must not be given to anybody.
const takeBackTimeout = 5 * time.Second

// TakeBackToken removes a token that the caller has created and will give to
// nobody, also when ctx is done, within a few seconds. That the token is not there
// is no error.
func TakeBackToken(ctx context.Context, s Tokens, id string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), takeBackTimeout)
	defer cancel()
	if err := s.DeleteToken(ctx, id); err != nil && !errors.Is(err, errors.IDNotFound) {
		return fmt.Errorf("take back a named token: %w", err)
	}
	return nil
}
