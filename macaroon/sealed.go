package macaroon

import (
	"context"
	"fmt"
	"time"

	"github.com/onezone-go/onezone/store"
)

// sealCheckInterval is how long an authority writes secrets after it saw that
// its store shows them in the open.
const sealCheckInterval = time.Minute

// checkSeal keeps new secrets from being written in clear to a store that holds
// sealed ones: it is called before each is made, and looks once a minute.
func (a *Authority) checkSeal(ctx context.Context) error {
	now, interval := a.clock().Unix(), int64(sealCheckInterval/time.Second)
	if last := a.sealChecked.Load(); last != 0 && last <= now && now < last+interval {
		return nil
	}
	if err := store.CheckSeal(ctx, a.store); err != nil {
		return fmt.Errorf("making a secret: %w", err)
	}
	a.sealChecked.Store(now)
	return nil
}
