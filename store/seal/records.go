package seal

import (
	"context"

	"github.com/onezone-go/onezone/store"
)

// secretOf returns the id of a record and its secret.
type secretOf[R any] func(record *R) (recordID, *store.Secret)

func secretOfToken(t *store.Token) (recordID, *store.Secret) {
	return recordIDOfToken(t), &t.Secret
}

func secretOfTemporary(t *store.Temporary) (recordID, *store.Secret) {
	return recordIDOfTemporary(t.Subject), &t.Secret
}

func secretOfIdentity(i *store.Identity) (recordID, *store.Secret) {
	return recordIDOfIdentity(i.Subject), &i.Password
}

// transformFunc is [sealer.seal] or [sealer.open].
type transformFunc func(ctx context.Context, at recordID, secret store.Secret) (store.Secret, error)

// transformed returns a copy of the record with a transformed secret.
func transformed[R any](ctx context.Context, record R, of secretOf[R], transform transformFunc) (R, error) {
	at, secret := of(&record)
	after, err := transform(ctx, at, *secret)
	if err != nil {
		var none R
		return none, err
	}
	*secret = after
	return record, nil
}

// update applies change to a copy of the record with the open secret, and then
// replaces the record. The record of the backend never contains the open
// secret. The sealed secret is kept unless the secret or its authenticated
// fields changed, so that an update cannot make an altered record look genuine.
func update[R any](ctx context.Context, s sealer, record *R, of secretOf[R], change func(*R) error) error {
	old, err := transformed(ctx, *record, of, s.open)
	if err != nil {
		return err
	}
	updated := old
	if err := change(&updated); err != nil {
		return err
	}
	was, sealed := of(record)
	_, before := of(&old)
	at, after := of(&updated)
	if sealed.IsSealed() && at == was && after.Equal(*before) {
		*after = *sealed
	} else if *after, err = s.seal(ctx, at, *after); err != nil {
		return err
	}
	*record = updated
	return nil
}
