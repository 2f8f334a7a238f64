package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/columns"
)

// NamedKey implements [store.Keys] in one round trip.
func (s *Store) NamedKey(ctx context.Context, id string) (store.Key, error) {
	const doing = "look up the key of a named token"
	if err := s.ready(ctx, doing); err != nil {
		return store.Key{}, err
	}
	if !columns.IsKey(id) {
		return store.Key{}, errors.NotFound()
	}
	key, err := queryOne(ctx, s, scanNamedKey, s.queries.namedKey, id)
	return key, outcome(doing, err)
}

func scanNamedKey(row pgx.Row) (key store.Key, err error) {
	var subject string
	var secret, tails []byte
	var blocked *bool
	if err := row.Scan(&subject, &secret, &key.Revoked, &tails, &blocked); err != nil {
		return store.Key{}, err
	}
	if key.Subject, err = columns.ParseSubject(subject); err != nil {
		return store.Key{}, err
	}
	key.Secret, key.Holder = columns.ParseSecret(secret), columns.Status(blocked)
	key.RevokedTails, err = columns.ParseTails(tails)
	return key, err
}

// TemporaryKey implements [store.Keys] in one round trip.
func (s *Store) TemporaryKey(ctx context.Context, subject caveat.Subject) (store.Key, error) {
	const doing = "look up the key of temporary tokens"
	if err := s.ready(ctx, doing); err != nil {
		return store.Key{}, err
	}
	key, err := s.temporaryKey(ctx, subject)
	return key, outcome(doing, err)
}

func (s *Store) temporaryKey(ctx context.Context, subject caveat.Subject) (store.Key, error) {
	if !columns.IsHolder(subject) {
		return store.Key{}, errors.NotFound()
	}
	return queryOne(ctx, s, func(row pgx.Row) (store.Key, error) {
		key := store.Key{Subject: subject}
		var secret []byte
		var blocked *bool
		err := row.Scan(&secret, &key.Generation, &blocked)
		key.Secret, key.Holder = columns.ParseSecret(secret), columns.Status(blocked)
		return key, err
	}, s.queries.temporaryKey, subject.String())
}

// EnsureTemporaryKey implements [store.Keys]: in one round trip where there is a
// key.
func (s *Store) EnsureTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (store.Key, error) {
	const doing = "make sure of a key of temporary tokens"
	for {
		if err := s.ready(ctx, doing); err != nil {
			return store.Key{}, err
		}
		if err := (store.Temporary{Subject: subject, Secret: secret, Generation: 1}).Validate(); err != nil {
			return store.Key{}, err
		}
		key, err := s.temporaryKey(ctx, subject)
		if !errors.Is(err, errors.IDNotFound) {
			return key, outcome(doing, err)
		}
		// Whoever makes it, it is there to be looked up then, unless it is
		// deleted in between.
		if _, err := s.exec(ctx, s.queries.ensureTemporary, subject.String(), columns.Secret(secret)); err != nil {
			return store.Key{}, environment(doing, err)
		}
	}
}

// RotateTemporaryKey implements [store.Keys].
func (s *Store) RotateTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (int64, error) {
	const doing = "rotate a key of temporary tokens"
	if err := s.ready(ctx, doing); err != nil {
		return 0, err
	}
	if err := (store.Temporary{Subject: subject, Secret: secret, Generation: 1}).Validate(); err != nil {
		return 0, err
	}
	generation, err := queryOne(ctx, s, func(row pgx.Row) (generation int64, err error) {
		err = row.Scan(&generation)
		return generation, err
	}, s.queries.rotateTemporary, subject.String(), columns.Secret(secret))
	return generation, outcome(doing, err)
}

// ReplaceTemporarySecret implements [store.Archive].
func (s *Store) ReplaceTemporarySecret(ctx context.Context, subject caveat.Subject, old, secret store.Secret) (bool, error) {
	const doing = "replace the secret of temporary tokens"
	if err := s.ready(ctx, doing); err != nil {
		return false, err
	}
	if err := (store.Temporary{Subject: subject, Secret: secret, Generation: 1}).Validate(); err != nil {
		return false, err
	}
	replaced, err := s.exec(ctx, s.queries.replaceTemporary, subject.String(), columns.Secret(old), columns.Secret(secret))
	return replaced > 0, outcome(doing, err)
}

// DeleteTemporaryKey implements [store.Keys].
func (s *Store) DeleteTemporaryKey(ctx context.Context, subject caveat.Subject) error {
	const doing = "delete a key of temporary tokens"
	if err := s.ready(ctx, doing); err != nil {
		return err
	}
	if !columns.IsHolder(subject) {
		return nil
	}
	_, err := s.exec(ctx, s.queries.deleteTemporary, subject.String())
	return outcome(doing, err)
}
