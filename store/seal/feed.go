package seal

import (
	"context"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/sealing"
)

// sealedFeed is the feed of a backend that has one.
type sealedFeed struct{ watcher store.Watcher }

// Watch implements [store.Watcher]. It does not tell of the canary.
func (f sealedFeed) Watch(ctx context.Context, observe func(store.Change)) error {
	if observe == nil {
		return f.watcher.Watch(ctx, nil)
	}
	return f.watcher.Watch(ctx, func(c store.Change) {
		if c.Kind == store.TemporaryChanged {
			if c.Subject == sealing.Canary() {
				return
			}
			c.Subject = sealing.Above(c.Subject)
		}
		observe(c)
	})
}
