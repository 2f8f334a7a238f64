package seal

import (
	"context"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// secretOf returns the secret of a record of type R and its place.
type secretOf[R any] func(record *R) (place, *store.Secret)

func secretOfToken(t *store.Token) (place, *store.Secret) {
	return placeOfToken(t.ID, t.Subject), &t.Secret
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
// the record of the backend itself.
func update[R any](ctx context.Context, s sealer, record *R, of secretOf[R], change func(*R) error) error {
	old, err := turned(ctx, *record, of, s.open)
	if err != nil {
		return err
	}
	updated := old
	if err := change(&updated); err != nil {
		return err
	}
	at, sealed := of(record)
	_, before := of(&old)
	_, after := of(&updated)
	if isSealed(*sealed) && after.Equal(*before) {
		*after = *sealed
	} else if *after, err = s.seal(ctx, at, *after); err != nil {
		return err
	}
	*record = updated
	return nil
}

// sealedArchive is the archive of a backend that has one.
type sealedArchive struct {
	backend store.Archive
	sealer
}

// Export implements [store.Archive].
func (a sealedArchive) Export(ctx context.Context, kind store.RecordKind, after string, limit int) ([]store.Record, string, error) {
	records, next, err := a.backend.Export(ctx, kind, after, limit)
	if err != nil {
		return nil, "", err
	}
	if records, err = allTurned(ctx, records, a.open); err != nil {
		return nil, "", err
	}
	return records, next, nil
}

// Import implements [store.Archive].
func (a sealedArchive) Import(ctx context.Context, records []store.Record) error {
	records, err := allTurned(ctx, records, a.seal)
	if err != nil {
		return err
	}
	return a.backend.Import(ctx, records)
}

// allTurned returns copies of the records with the secrets turned. A record that
// is not exactly one of the three stays so, for the backend to refuse.
func allTurned(ctx context.Context, records []store.Record, turn turn) ([]store.Record, error) {
	all := make([]store.Record, len(records))
	for i, r := range records {
		err := errors.Join(
			turnAt(ctx, &r.Identity, secretOfIdentity, turn),
			turnAt(ctx, &r.Temporary, secretOfTemporary, turn),
			turnAt(ctx, &r.Token, secretOfToken, turn),
		)
		if err != nil {
			return nil, err
		}
		all[i] = r
	}
	return all, nil
}

// turnAt puts a copy of the record in its place, if there is one.
func turnAt[R any](ctx context.Context, record **R, of secretOf[R], turn turn) error {
	if *record == nil {
		return nil
	}
	r, err := turned(ctx, **record, of, turn)
	*record = &r
	return err
}
