package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/columns"
)

// CreateToken implements [store.Tokens]. Calls that come at the same time share a
// transaction.
//
// Where an active holder is required it takes two round trips: the statement that
// creates the token may not see that the subject is being blocked, so the subject
// is looked at again. A lock on its row would let who creates tokens all the time
// keep the subject from being blocked.
func (s *Store) CreateToken(ctx context.Context, t store.Token, require store.Status) (store.Status, error) {
	const doing = "create a named token"
	if err := s.ready(ctx, doing); err != nil {
		return 0, err
	}
	if err := t.ValidateNew(require); err != nil {
		return 0, err
	}
	holder, err := s.create(ctx, &t, require == 0)
	switch {
	case err != nil || require == 0:
		return 0, outcome(doing, err)
	case holder != store.HolderActive:
		return holder, nil
	}
	holder, err = queryOne(ctx, s, scanHolder, s.queries.getStatus, t.Subject.String())
	if err == nil && holder == store.HolderActive {
		return holder, nil
	}
	if err := store.TakeBackToken(ctx, s, t.ID); err != nil {
		return 0, err
	}
	return holder, outcome(doing, err)
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
	t, err := queryOne(ctx, s, scanToken, s.queries.getToken, id)
	return t, outcome(doing, err)
}

// UpdateToken implements [store.Tokens]. change is called while the row is
// locked, in a transaction that holds a connection of the pool.
func (s *Store) UpdateToken(ctx context.Context, id string, change func(*store.Token) error) error {
	const doing = "update a named token"
	if err := s.ready(ctx, doing); err != nil {
		return err
	}
	if !columns.IsKey(id) {
		return errors.NotFound()
	}
	return update(ctx, s, doing, "name",
		s.queries.lockToken, id, scanToken,
		func(old store.Token) (store.Token, error) { return store.UpdateToken(old, change) },
		s.queries.updateToken, func(t store.Token) []any {
			return []any{
				t.ID, t.Name, t.Version, t.Type, encodeList(t.Caveats), columns.Secret(t.Secret), t.Revoked,
				columns.Tails(t.RevokedTails), encodeCustom(t.Custom), t.Privileges, t.UsageLimit, t.UsageCount,
			}
		})
}

// DeleteToken implements [store.Tokens].
func (s *Store) DeleteToken(ctx context.Context, id string) error {
	const doing = "delete a named token"
	if err := s.ready(ctx, doing); err != nil {
		return err
	}
	if !columns.IsKey(id) {
		return errors.NotFound()
	}
	deleted, err := s.exec(ctx, s.queries.deleteToken, id)
	if err == nil && deleted == 0 {
		return errors.NotFound()
	}
	return outcome(doing, err)
}

// update changes the record with the key: it locks the row and reads it, has
// change make another record of it, and writes that. unique is what the catalogue
// calls the name that only one record can have.
func update[R any](
	ctx context.Context, s *Store, doing, unique string,
	lock, key string, scan func(pgx.Row) (R, error),
	change func(R) (R, error),
	write string, encode func(R) []any,
) error {
	var refused error // by change, and so none of the environment's
	err := s.inTransaction(ctx, func(tx pgx.Tx) error {
		old, err := scan(tx.QueryRow(ctx, lock, key))
		if err != nil {
			return err
		}
		changed, err := change(old)
		if refused = err; err != nil {
			return err
		}
		_, err = tx.Exec(ctx, write, encode(changed)...)
		return occupied(err, unique)
	})
	switch {
	case refused != nil:
		return refused
	case errors.Is(err, pgx.ErrNoRows):
		return errors.NotFound()
	}
	return outcome(doing, err)
}
