package store

import (
	"context"
	"fmt"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store/internal/sealing"
)

// ErrSealed is the operational error of using a sealed secret. The store
// contains records of package seal but was opened without its key ring.
var ErrSealed = errors.New("the records are sealed, and the store was opened without its key ring: open it with package seal")

// CheckSeal returns an error if s contains sealed records and was opened
// without its key ring. An authority over such a store verifies no token, so
// call CheckSeal before you serve a store, and in readiness checks.
//
// The error wraps [ErrSealed] if the store contains sealed records; other
// errors are operational errors of the store. It makes one look-up, for the
// canary that [github.com/onezone-go/onezone/store/seal.New] writes.
func CheckSeal(ctx context.Context, s Store) error {
	key, err := s.TemporaryKey(ctx, sealing.Canary())
	switch {
	case errors.Is(err, errors.IDNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("check whether the store is sealed: %w", err)
	case key.Secret.IsSealed():
		return fmt.Errorf("check whether the store is sealed: %w", ErrSealed)
	}
	return nil
}
