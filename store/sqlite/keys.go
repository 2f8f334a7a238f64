package sqlite

import (
	"context"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/columns"
)

// NamedKey implements [store.Keys] by one query. A token stands at a place made
// of its id, where one search of the table finds it; only one that gave way to
// another takes a search of the index besides.
func (s *Store) NamedKey(ctx context.Context, id string) (store.Key, error) {
	const doing = "look up the key of a named token"
	if err := s.ready(ctx, doing); err != nil {
		return store.Key{}, err
	}
	if !columns.IsKey(id) {
		return store.Key{}, errors.NotFound()
	}
	key, err := readOne(ctx, s, scanNamedKey, namedKey, id, placeOf(id))
	return key, s.outcome(ctx, doing, err)
}

func scanNamedKey(r row) (key store.Key, err error) {
	var subject string
	var secret, tails []byte
	var blocked *bool
	if err := r.Scan(&subject, &secret, &key.Revoked, &tails, &blocked); err != nil {
		return store.Key{}, err
	}
	if key.Subject, err = columns.ParseSubject(subject); err != nil {
		return store.Key{}, err
	}
	key.Secret, key.Holder = columns.ParseSecret(secret), columns.Status(blocked)
	key.RevokedTails, err = columns.ParseTails(tails)
	return key, err
}

// TemporaryKey implements [store.Keys] by one query.
func (s *Store) TemporaryKey(ctx context.Context, subject caveat.Subject) (store.Key, error) {
	const doing = "look up the key of temporary tokens"
	if err := s.ready(ctx, doing); err != nil {
		return store.Key{}, err
	}
	key, err := s.temporaryKey(ctx, subject)
	return key, s.outcome(ctx, doing, err)
}

func (s *Store) temporaryKey(ctx context.Context, subject caveat.Subject) (store.Key, error) {
	if !columns.IsHolder(subject) {
		return store.Key{}, errors.NotFound()
	}
	return readOne(ctx, s, scanTemporaryKey(subject), temporaryKey, subject.String())
}

func scanTemporaryKey(subject caveat.Subject) func(row) (store.Key, error) {
	return func(r row) (store.Key, error) {
		key := store.Key{Subject: subject}
		var secret []byte
		var blocked *bool
		err := r.Scan(&secret, &key.Generation, &blocked)
		key.Secret, key.Holder = columns.ParseSecret(secret), columns.Status(blocked)
		return key, err
	}
}

// EnsureTemporaryKey implements [store.Keys]: by one query where there is a key.
func (s *Store) EnsureTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (store.Key, error) {
	const doing = "make sure of a key of temporary tokens"
	if err := s.ready(ctx, doing); err != nil {
		return store.Key{}, err
	}
	if err := (store.Temporary{Subject: subject, Secret: secret, Generation: 1}).Validate(); err != nil {
		return store.Key{}, err
	}
	key, err := s.temporaryKey(ctx, subject)
	if errors.Is(err, errors.IDNotFound) {
		err = s.inTransaction(ctx, func(t transaction) error {
			if err := t.exec(ensureTemporary, subject.String(), columns.Secret(secret), 1); err != nil {
				return err
			}
			key, err = scanOne(scanTemporaryKey(subject), t.row(temporaryKey, subject.String()))
			return err
		})
	}
	if err != nil {
		return store.Key{}, s.outcome(ctx, doing, err)
	}
	return key, nil
}

// RotateTemporaryKey implements [store.Keys].
func (s *Store) RotateTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (generation int64, err error) {
	const doing = "rotate a key of temporary tokens"
	if err := s.ready(ctx, doing); err != nil {
		return 0, err
	}
	if err := (store.Temporary{Subject: subject, Secret: secret, Generation: 1}).Validate(); err != nil {
		return 0, err
	}
	err = s.inTransaction(ctx, func(t transaction) error {
		return t.row(rotateTemporary, subject.String(), columns.Secret(secret), 1).Scan(&generation)
	})
	if err != nil {
		return 0, s.environment(ctx, doing, err)
	}
	return generation, nil
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
	replaced, err := s.exec(ctx, replaceTemporary, subject.String(), columns.Secret(old), columns.Secret(secret))
	return replaced > 0, s.outcome(ctx, doing, err)
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
	return s.outcome(ctx, doing, second(s.exec(ctx, deleteTemporary, subject.String())))
}
