package cache

import (
	"context"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
)

// Writes drop the dependent answers afterwards, also when they fail: an
// operational error does not say whether something was written.

// EnsureTemporaryKey implements [store.Keys]. It always calls the backend,
// because a token signed with an outdated key would be invalid from the start.
func (c *cached) EnsureTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (store.Key, error) {
	key, err := c.backend.EnsureTemporaryKey(ctx, subject, secret)
	k := keyOfTemporary(subject)
	if e := c.find(k); err != nil || e == nil || e.key.Generation != key.Generation || !e.key.Secret.Equal(key.Secret) {
		c.change(k)
	}
	return key, err
}

func (c *cached) RotateTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (int64, error) {
	defer c.change(keyOfTemporary(subject))
	return c.backend.RotateTemporaryKey(ctx, subject, secret)
}

func (c *cached) DeleteTemporaryKey(ctx context.Context, subject caveat.Subject) error {
	defer c.change(keyOfTemporary(subject))
	return c.backend.DeleteTemporaryKey(ctx, subject)
}

func (c *cached) CreateToken(ctx context.Context, t store.Token, require store.Status) (store.Status, error) {
	defer c.change(keyOfToken(t.ID))
	return c.backend.CreateToken(ctx, t, require)
}

func (c *cached) UpdateToken(ctx context.Context, id string, change func(*store.Token) error) error {
	defer c.change(keyOfToken(id))
	return c.backend.UpdateToken(ctx, id, change)
}

func (c *cached) DeleteToken(ctx context.Context, id string) error {
	defer c.change(keyOfToken(id))
	return c.backend.DeleteToken(ctx, id)
}

func (c *cached) CreateIdentity(ctx context.Context, i store.Identity) error {
	defer c.change(keyOfIdentity(i.Subject))
	return c.backend.CreateIdentity(ctx, i)
}

func (c *cached) UpdateIdentity(ctx context.Context, subject caveat.Subject, change func(*store.Identity) error) error {
	defer c.change(keyOfIdentity(subject))
	return c.backend.UpdateIdentity(ctx, subject, change)
}

func (c *cached) DeleteIdentity(ctx context.Context, subject caveat.Subject) error {
	defer c.change(keyOfIdentity(subject))
	return c.backend.DeleteIdentity(ctx, subject)
}

func (c *cached) Import(ctx context.Context, records []store.Record) error {
	defer func() {
		for _, r := range records {
			if r.Identity != nil {
				c.change(keyOfIdentity(r.Identity.Subject))
			}
			if r.Temporary != nil {
				c.change(keyOfTemporary(r.Temporary.Subject))
			}
			if r.Token != nil {
				c.change(keyOfToken(r.Token.ID))
			}
		}
	}()
	return c.backend.Import(ctx, records)
}

func (c *cached) ReplaceTemporarySecret(ctx context.Context, subject caveat.Subject, old, secret store.Secret) (bool, error) {
	defer c.change(keyOfTemporary(subject))
	return c.backend.ReplaceTemporarySecret(ctx, subject, old, secret)
}
