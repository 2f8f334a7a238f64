package sqlite

import (
	"context"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/columns"
)

// CreateToken implements [store.Tokens].
func (s *Store) CreateToken(ctx context.Context, t store.Token, require store.Status) (store.Status, error) {
	const doing = "create a named token"
	insert := createToken
	if require != 0 {
		insert = createTokenIfActive
	}
	for {
		if err := s.ready(ctx, doing); err != nil {
			return 0, err
		}
		if err := t.ValidateNew(require); err != nil {
			return 0, err
		}
		created, err := s.create(ctx, insert, &t)
		if err != nil {
			return 0, s.outcome(ctx, doing, err)
		}
		if created {
			return require, nil
		}
		i, err := s.GetIdentity(ctx, t.Subject)
		switch {
		case errors.Is(err, errors.IDNotFound):
			return store.HolderMissing, nil
		case err != nil:
			return 0, err
		case i.Status() != store.HolderActive:
			return i.Status(), nil
		}
		// It became active in between.
	}
}

// create inserts the record, if the statement finds nothing against it.
func (s *Store) create(ctx context.Context, insert query, t *store.Token) (created bool, err error) {
	inserted, err := s.exec(ctx, insert, encodeNewToken(t)...)
	return inserted > 0, taken(err, "name", func() error {
		return second(readOne(ctx, s, scanToken, getToken, t.ID))
	})
}

// GetToken implements [store.Tokens].
func (s *Store) GetToken(ctx context.Context, id string) (store.Token, error) {
	const doing = "get a named token"
	if err := s.ready(ctx, doing); err != nil {
		return store.Token{}, err
	}
	if !columns.IsKey(id) {
		return store.Token{}, errors.NotFound()
	}
	t, err := readOne(ctx, s, scanToken, getToken, id)
	return t, s.outcome(ctx, doing, err)
}

// UpdateToken implements [store.Tokens]. change is called while nobody else can
// write to the file.
func (s *Store) UpdateToken(ctx context.Context, id string, change func(*store.Token) error) error {
	const doing = "update a named token"
	if err := s.ready(ctx, doing); err != nil {
		return err
	}
	if !columns.IsKey(id) {
		return errors.NotFound()
	}
	return update(ctx, s, doing, "name", getToken, updateToken, id, scanToken, encodeToken,
		func(old store.Token) (store.Token, error) { return store.UpdateToken(old, change) })
}

// DeleteToken implements [store.Tokens].
func (s *Store) DeleteToken(ctx context.Context, id string) error {
	const doing = "delete a named token"
	if err := s.ready(ctx, doing); err != nil {
		return err
	}
	return s.delete(ctx, doing, deleteToken, columns.IsKey(id), id)
}

// delete removes the one record with the key, if the key is possible.
func (s *Store) delete(ctx context.Context, doing string, q query, possible bool, key string) error {
	if !possible {
		return errors.NotFound()
	}
	deleted, err := s.exec(ctx, q, key)
	if err == nil && deleted == 0 {
		return errors.NotFound()
	}
	return s.outcome(ctx, doing, err)
}

// update reads the record with the key, has change make another of it, and writes
// that, all in one transaction. unique is what the catalogue calls the name that
// only one record can have.
func update[R any](
	ctx context.Context, s *Store, doing, unique string, get, write query, key string,
	scan func(row) (R, error), encode func(*R) []any, change func(R) (R, error),
) error {
	var refusal error // by change, to be returned as it is
	err := s.inTransaction(ctx, func(t transaction) error {
		old, err := scanOne(scan, t.row(get, key))
		if err != nil {
			return err
		}
		changed, err := change(old)
		if err != nil {
			refusal = err
			return errRefused
		}
		return occupied(t.exec(write, encode(&changed)...), unique)
	})
	if err == errRefused {
		return refusal
	}
	return s.outcome(ctx, doing, err)
}

// errRefused ends a transaction that is not to be tried again, whatever the error
// of the caller's function looks like.
var errRefused = errors.New("the change was refused")
