package seal

import (
	"context"
	"slices"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/sealing"
)

// sealedArchive is the archive of a backend that has one.
type sealedArchive struct {
	archive store.Archive
	seal    *sealed
}

// Export implements [store.Archive]. A record whose secret does not open fails
// it: a copy loses nothing in silence.
func (a sealedArchive) Export(ctx context.Context, kind store.RecordKind, after string, limit int) ([]store.Record, string, error) {
	records, next, err := a.archive.Export(ctx, kind, after, limit)
	if records = toldRecords(records); err == nil && len(records) == 0 && next != "" {
		// The canary was the only record of the page.
		records, next, err = a.archive.Export(ctx, kind, next, limit)
	}
	if err != nil {
		return nil, "", err
	}
	opener, err := a.seal.opener(ctx, func(yield func(store.Secret) bool) {
		for _, r := range records {
			if _, secret := secretIn(r); !yield(secret) {
				return
			}
		}
	})
	if err != nil {
		return nil, "", err
	}
	if records, err = allTurned(ctx, records, opener.open); err != nil {
		return nil, "", err
	}
	return renamed(records, sealing.Above), next, nil
}

// Import implements [store.Archive].
func (a sealedArchive) Import(ctx context.Context, records []store.Record) error {
	records, err := allTurned(ctx, renamed(records, sealing.Below), a.seal.sealer().seal)
	if err != nil {
		return err
	}
	return a.archive.Import(ctx, records)
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

// toldRecords returns the records of the backend but its canary.
func toldRecords(records []store.Record) []store.Record {
	return slices.DeleteFunc(records, func(r store.Record) bool {
		return r.Temporary != nil && r.Temporary.Subject == sealing.Canary()
	})
}

// renamed returns the records with the subjects of temporary secrets renamed.
func renamed(records []store.Record, rename func(caveat.Subject) caveat.Subject) []store.Record {
	all := slices.Clone(records)
	for i, r := range all {
		if r.Temporary != nil {
			temporary := *r.Temporary
			temporary.Subject = rename(temporary.Subject)
			all[i].Temporary = &temporary
		}
	}
	return all
}
