package postgres

import (
	"context"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// orFromPrimary returns the result of a look-up, or that of the primary if a
// standby does not have the record.
func orFromPrimary[R any](d driver, found R, err error, atPrimary func(*Store) (R, error)) (R, error) {
	if d.primary == nil || !errors.Is(err, errors.IDNotFound) {
		return found, err
	}
	return atPrimary(d.primary)
}

func (d driver) NamedKey(ctx context.Context, id string) (store.Key, error) {
	found, err := d.SQL.NamedKey(ctx, id)
	return orFromPrimary(d, found, err, func(p *Store) (store.Key, error) { return p.NamedKey(ctx, id) })
}

func (d driver) TemporaryKey(ctx context.Context, subject caveat.Subject) (store.Key, error) {
	found, err := d.SQL.TemporaryKey(ctx, subject)
	return orFromPrimary(d, found, err, func(p *Store) (store.Key, error) { return p.TemporaryKey(ctx, subject) })
}

func (d driver) GetToken(ctx context.Context, id string) (store.Token, error) {
	found, err := d.SQL.GetToken(ctx, id)
	return orFromPrimary(d, found, err, func(p *Store) (store.Token, error) { return p.GetToken(ctx, id) })
}

func (d driver) GetIdentity(ctx context.Context, subject caveat.Subject) (store.Identity, error) {
	found, err := d.SQL.GetIdentity(ctx, subject)
	return orFromPrimary(d, found, err, func(p *Store) (store.Identity, error) { return p.GetIdentity(ctx, subject) })
}

func (d driver) GetIdentityByUsername(ctx context.Context, username string) (store.Identity, error) {
	found, err := d.SQL.GetIdentityByUsername(ctx, username)
	return orFromPrimary(d, found, err, func(p *Store) (store.Identity, error) { return p.GetIdentityByUsername(ctx, username) })
}
