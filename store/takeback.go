package store

import (
	"context"
	"fmt"
	"time"

	"github.com/onezone-go/onezone/errors"
)

// takeBackTimeout limits the time to delete a token that must not be handed
// out.
const takeBackTimeout = 5 * time.Second

// TakeBackToken deletes a token that the caller created but will not hand out.
// It takes a few seconds at most, and works even if ctx is done. A missing
// token is not an error.
func TakeBackToken(ctx context.Context, s Tokens, id string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), takeBackTimeout)
	defer cancel()
	if err := s.DeleteToken(ctx, id); err != nil && !errors.Is(err, errors.IDNotFound) {
		return fmt.Errorf("delete a named token that will not be handed out: %w", err)
	}
	return nil
}
