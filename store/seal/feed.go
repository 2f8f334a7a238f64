package seal

import (
	"context"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/sealing"
)

// Watch implements [store.Watcher]. It does not report changes of the canary.
func (s *sealed) Watch(ctx context.Context, observe func(store.Change)) error {
	if observe == nil {
		return s.backend.Watch(ctx, nil)
	}
	return s.backend.Watch(ctx, func(c store.Change) {
		if c.Kind == store.TemporaryChanged {
			if c.Subject == sealing.Canary() {
				return
			}
			c.Subject = sealing.Above(c.Subject)
		}
		observe(c)
	})
}
