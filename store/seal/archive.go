package seal

import (
	"context"
	"slices"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/sealing"
)

// Export implements [store.Archive]. A record whose secret does not open fails
// it: a copy loses nothing in silence.
func (s *sealed) Export(ctx context.Context, kind store.RecordKind, after string, limit int) ([]store.Record, string, error) {
	records, next, err := s.backend.Export(ctx, kind, after, limit)
	if records = toldRecords(records); err == nil && len(records) == 0 && next != "" {
		// The canary was the only record of the page.
		records, next, err = s.backend.Export(ctx, kind, next, limit)
	}
	if err != nil {
		return nil, "", err
	}
	opener, err := s.opener(ctx, func(yield func(store.Secret) bool) {
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
func (s *sealed) Import(ctx context.Context, records []store.Record) error {
	records, err := allTurned(ctx, renamed(records, sealing.Below), s.sealer().seal)
	if err != nil {
		return err
	}
	return s.backend.Import(ctx, records)
}

// ReplaceTemporarySecret implements [store.Archive]. It tries again where the old
// secret was sealed anew meanwhile.
func (s *sealed) ReplaceTemporarySecret(ctx context.Context, subject caveat.Subject, old, secret store.Secret) (bool, error) {
	subject = sealing.Below(subject)
	at := placeOfTemporary(subject)
	sealed, err := s.sealer().seal(ctx, at, secret)
	if err != nil {
		return false, err
	}
	if old.IsZero() || secret.IsZero() || store.ValidateHolder(subject) != nil {
		// There is nothing to replace, or the backend refuses it.
		return s.backend.ReplaceTemporarySecret(ctx, subject, store.Secret{}, sealed)
	}
	for {
		key, err := s.backend.TemporaryKey(ctx, subject)
		if errors.Is(err, errors.IDNotFound) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		opened, err := s.openKey(ctx, at, key)
		if err != nil || !opened.Secret.Equal(old) {
			return false, err
		}
		replaced, err := s.backend.ReplaceTemporarySecret(ctx, subject, key.Secret, sealed)
		if replaced || err != nil {
			return replaced, err
		}
	}
}

// Scrub implements [store.Archive].
func (s *sealed) Scrub(ctx context.Context) error { return s.backend.Scrub(ctx) }

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
