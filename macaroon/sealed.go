package macaroon

import (
	"context"
	"fmt"
	"time"

	"github.com/onezone-go/onezone/store"
)

// sealCheckInterval is the time between two checks that the store is unsealed.
const sealCheckInterval = time.Minute

// checkSeal returns an error if the store holds sealed secrets but does not
// open them. It is called before a new secret is created, which would otherwise
// be stored in plaintext. It checks the store at most once per
// sealCheckInterval.
func (a *Authority) checkSeal(ctx context.Context) error {
	now, interval := a.clock().Unix(), int64(sealCheckInterval/time.Second)
	if last := a.sealChecked.Load(); last != 0 && last <= now && now < last+interval {
		return nil
	}
	if err := store.CheckSeal(ctx, a.store); err != nil {
		return fmt.Errorf("creating a secret: %w", err)
	}
	a.sealChecked.Store(now)
	return nil
}
