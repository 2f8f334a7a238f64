package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
)

// deadline is a store whose calls have a deadline, for stores behind a network.
// A call that exceeds it returns an operational error, which is answered with
// 503 serviceUnavailable. Calls that move many records or watch for changes
// have no deadline.
type deadline struct {
	store.Store
	timeout time.Duration
}

// within calls do with a context that ends at the deadline of the store.
func within[T any](ctx context.Context, d deadline, do func(context.Context) (T, error)) (T, error) {
	limited, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	value, err := do(limited)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		// Not wrapped, because the request itself did not time out.
		err = fmt.Errorf("the store did not answer within %v: %v", d.timeout, err)
	}
	return value, err
}

// done is within for calls that return nothing.
func done(ctx context.Context, d deadline, do func(context.Context) error) error {
	_, err := within(ctx, d, func(ctx context.Context) (struct{}, error) { return struct{}{}, do(ctx) })
	return err
}

func (d deadline) NamedKey(ctx context.Context, id string) (store.Key, error) {
	return within(ctx, d, func(ctx context.Context) (store.Key, error) { return d.Store.NamedKey(ctx, id) })
}

func (d deadline) TemporaryKey(ctx context.Context, s caveat.Subject) (store.Key, error) {
	return within(ctx, d, func(ctx context.Context) (store.Key, error) { return d.Store.TemporaryKey(ctx, s) })
}

func (d deadline) EnsureTemporaryKey(ctx context.Context, s caveat.Subject, secret store.Secret) (store.Key, error) {
	return within(ctx, d, func(ctx context.Context) (store.Key, error) {
		return d.Store.EnsureTemporaryKey(ctx, s, secret)
	})
}

func (d deadline) RotateTemporaryKey(ctx context.Context, s caveat.Subject, secret store.Secret) (int64, error) {
	return within(ctx, d, func(ctx context.Context) (int64, error) { return d.Store.RotateTemporaryKey(ctx, s, secret) })
}

func (d deadline) DeleteTemporaryKey(ctx context.Context, s caveat.Subject) error {
	return done(ctx, d, func(ctx context.Context) error { return d.Store.DeleteTemporaryKey(ctx, s) })
}

func (d deadline) CreateToken(ctx context.Context, t store.Token, require store.Status) (store.Status, error) {
	return within(ctx, d, func(ctx context.Context) (store.Status, error) { return d.Store.CreateToken(ctx, t, require) })
}

func (d deadline) GetToken(ctx context.Context, id string) (store.Token, error) {
	return within(ctx, d, func(ctx context.Context) (store.Token, error) { return d.Store.GetToken(ctx, id) })
}

func (d deadline) ListTokens(ctx context.Context, q store.Query) (page []store.Token, next store.Cursor, err error) {
	err = done(ctx, d, func(ctx context.Context) (err error) {
		page, next, err = d.Store.ListTokens(ctx, q)
		return err
	})
	return page, next, err
}

func (d deadline) ListTokenIDs(ctx context.Context, q store.Query) (page []string, next store.Cursor, err error) {
	err = done(ctx, d, func(ctx context.Context) (err error) {
		page, next, err = d.Store.ListTokenIDs(ctx, q)
		return err
	})
	return page, next, err
}

func (d deadline) CountTokens(ctx context.Context, s caveat.Subject) (int64, error) {
	return within(ctx, d, func(ctx context.Context) (int64, error) { return d.Store.CountTokens(ctx, s) })
}

func (d deadline) UpdateToken(ctx context.Context, id string, change func(*store.Token) error) error {
	return done(ctx, d, func(ctx context.Context) error { return d.Store.UpdateToken(ctx, id, change) })
}

func (d deadline) DeleteToken(ctx context.Context, id string) error {
	return done(ctx, d, func(ctx context.Context) error { return d.Store.DeleteToken(ctx, id) })
}

func (d deadline) CreateIdentity(ctx context.Context, i store.Identity) error {
	return done(ctx, d, func(ctx context.Context) error { return d.Store.CreateIdentity(ctx, i) })
}

func (d deadline) GetIdentity(ctx context.Context, s caveat.Subject) (store.Identity, error) {
	return within(ctx, d, func(ctx context.Context) (store.Identity, error) { return d.Store.GetIdentity(ctx, s) })
}

func (d deadline) GetIdentityByUsername(ctx context.Context, name string) (store.Identity, error) {
	return within(ctx, d, func(ctx context.Context) (store.Identity, error) {
		return d.Store.GetIdentityByUsername(ctx, name)
	})
}

func (d deadline) UpdateIdentity(ctx context.Context, s caveat.Subject, change func(*store.Identity) error) error {
	return done(ctx, d, func(ctx context.Context) error { return d.Store.UpdateIdentity(ctx, s, change) })
}

func (d deadline) DeleteIdentity(ctx context.Context, s caveat.Subject) error {
	return done(ctx, d, func(ctx context.Context) error { return d.Store.DeleteIdentity(ctx, s) })
}
