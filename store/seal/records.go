package seal

import (
	"context"

	"github.com/onezone-go/onezone/store"
)

// secretOf returns the secret of a record of type R and its place.
type secretOf[R any] func(record *R) (place, *store.Secret)

func secretOfToken(t *store.Token) (place, *store.Secret) {
	return placeOfToken(t), &t.Secret
}

func secretOfTemporary(t *store.Temporary) (place, *store.Secret) {
	return placeOfTemporary(t.Subject), &t.Secret
}

func secretOfIdentity(i *store.Identity) (place, *store.Secret) {
	return placeOfIdentity(i.Subject), &i.Password
}

// turn is [sealer.seal] or [sealer.open].
type turn func(ctx context.Context, at place, secret store.Secret) (store.Secret, error)

// turned returns a copy of the record with its secret turned.
func turned[R any](ctx context.Context, record R, of secretOf[R], turn turn) (R, error) {
	at, secret := of(&record)
	after, err := turn(ctx, at, *secret)
	if err != nil {
		var none R
		return none, err
	}
	*secret = after
	return record, nil
}

// update does change to a copy of the record of a backend, which it shows the
// open secret, and replaces the record by it. At no time the open secret is in
// the record of the backend itself. What was sealed stays as it is unless the
// secret or what was sealed with it has changed, so that no update makes an
// altered record look genuine.
func update[R any](ctx context.Context, s sealer, record *R, of secretOf[R], change func(*R) error) error {
	old, err := turned(ctx, *record, of, s.open)
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
