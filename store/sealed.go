package store

import (
	"context"
	"fmt"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store/internal/sealing"
)

// ErrSealed is the operational error of using a sealed secret: the store holds
// records of package seal and was opened without its key ring.
var ErrSealed = errors.New("the records are sealed, and the store was opened without its key ring: open it with package seal")

// CheckSeal reports whether s shows its secrets in the open. Call it before a
// store is served that has no seal in front, and to tell whether it is ready: an
// authority over a sealed store without its key ring verifies nothing.
//
// The error wraps [ErrSealed] where the store holds sealed records; others are
// operational errors of the store. One look-up tells, whatever the number of
// records: [github.com/onezone-go/onezone/store/seal.New] leaves a canary.
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
