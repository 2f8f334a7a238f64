package postgres

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
	_, err := s.exec(ctx, s.queries.createIdentity, encodeIdentity(&i)...)
	return outcome(doing, taken(err, "username", func() error {
		return second(queryOne(ctx, s, scanIdentity, s.queries.getIdentity, i.Subject.String()))
	}))
}

// GetIdentity implements [store.Identities].
func (s *Store) GetIdentity(ctx context.Context, subject caveat.Subject) (store.Identity, error) {
	return s.getIdentity(ctx, "get an identity", columns.IsHolder(subject), s.queries.getIdentity, subject.String())
}

// GetIdentityByUsername implements [store.Identities].
func (s *Store) GetIdentityByUsername(ctx context.Context, username string) (store.Identity, error) {
	return s.getIdentity(ctx, "get an identity by user name", columns.IsKey(username), s.queries.getUser, username)
}

// getIdentity returns the one identity with the key, if the key is possible.
func (s *Store) getIdentity(ctx context.Context, doing string, possible bool, query, key string) (store.Identity, error) {
	if err := s.ready(ctx, doing); err != nil {
		return store.Identity{}, err
	}
	if !possible {
		return store.Identity{}, errors.NotFound()
	}
	i, err := queryOne(ctx, s, scanIdentity, query, key)
	return i, outcome(doing, err)
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
	return update(ctx, s, doing, "username",
		s.queries.lockIdentity, subject.String(), scanIdentity,
		func(old store.Identity) (store.Identity, error) { return store.UpdateIdentity(old, change) },
		s.queries.updateIdentity, func(i store.Identity) []any {
			return []any{i.Subject.String(), encodeUsername(i.Username), i.FullName, columns.Secret(i.Password), i.Blocked}
		})
}

// DeleteIdentity implements [store.Identities].
func (s *Store) DeleteIdentity(ctx context.Context, subject caveat.Subject) error {
	const doing = "delete an identity"
	if err := s.ready(ctx, doing); err != nil {
		return err
	}
	if !columns.IsHolder(subject) {
		return errors.NotFound()
	}
	deleted, err := s.exec(ctx, s.queries.deleteIdentity, subject.String())
	if err == nil && deleted == 0 {
		return errors.NotFound()
	}
	return outcome(doing, err)
}
