package sqlite

import (
	"context"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/columns"
)

// CreateIdentity implements [store.Identities].
func (s *Store) CreateIdentity(ctx context.Context, i store.Identity) error {
	const doing = "create an identity"
	if err := s.ready(ctx, doing); err != nil {
		return err
	}
	if err := i.Validate(); err != nil {
		return err
	}
	_, err := s.exec(ctx, createIdentity, encodeIdentity(&i)...)
	return s.outcome(ctx, doing, taken(err, "username", func() error {
		return second(readOne(ctx, s, scanIdentity, getIdentity, i.Subject.String()))
	}))
}

// GetIdentity implements [store.Identities].
func (s *Store) GetIdentity(ctx context.Context, subject caveat.Subject) (store.Identity, error) {
	return s.getIdentity(ctx, "get an identity", getIdentity, columns.IsHolder(subject), subject.String())
}

// GetIdentityByUsername implements [store.Identities].
func (s *Store) GetIdentityByUsername(ctx context.Context, username string) (store.Identity, error) {
	return s.getIdentity(ctx, "get an identity by user name", getUser, columns.IsKey(username), username)
}

// getIdentity returns the one identity with the key, if the key is possible.
func (s *Store) getIdentity(ctx context.Context, doing string, q query, possible bool, key string) (store.Identity, error) {
	if err := s.ready(ctx, doing); err != nil {
		return store.Identity{}, err
	}
	if !possible {
		return store.Identity{}, errors.NotFound()
	}
	i, err := readOne(ctx, s, scanIdentity, q, key)
	return i, s.outcome(ctx, doing, err)
}

// UpdateIdentity implements [store.Identities], in the way of UpdateToken.
func (s *Store) UpdateIdentity(ctx context.Context, subject caveat.Subject, change func(*store.Identity) error) error {
	const doing = "update an identity"
	if err := s.ready(ctx, doing); err != nil {
		return err
	}
	if !columns.IsHolder(subject) {
		return errors.NotFound()
	}
	return update(ctx, s, doing, "username", getIdentity, updateIdentity, subject.String(), scanIdentity, encodeIdentity,
		func(old store.Identity) (store.Identity, error) { return store.UpdateIdentity(old, change) })
}

// DeleteIdentity implements [store.Identities].
func (s *Store) DeleteIdentity(ctx context.Context, subject caveat.Subject) error {
	const doing = "delete an identity"
	if err := s.ready(ctx, doing); err != nil {
		return err
	}
	return s.delete(ctx, doing, deleteIdentity, columns.IsHolder(subject), subject.String())
}
