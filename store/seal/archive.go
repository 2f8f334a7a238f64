package seal

import (
	"context"
	"slices"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/sealing"
)

// Export implements [store.Archive]. It fails if a secret does not open, so
// that a copy never loses a record silently.
func (s *sealed) Export(ctx context.Context, kind store.RecordKind, after string, limit int) ([]store.Record, string, error) {
	records, next, err := s.backend.Export(ctx, kind, after, limit)
	if records = withoutCanary(records); err == nil && len(records) == 0 && next != "" {
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
	if records, err = transformAll(ctx, records, opener.open); err != nil {
		return nil, "", err
	}
	return renameSubjects(records, sealing.Above), next, nil
}

func (s *sealed) Import(ctx context.Context, records []store.Record) error {
	records, err := transformAll(ctx, renameSubjects(records, sealing.Below), s.sealer().seal)
	if err != nil {
		return err
	}
	return s.backend.Import(ctx, records)
}

// ReplaceTemporarySecret implements [store.Archive]. It retries if the old
// secret was resealed concurrently.
func (s *sealed) ReplaceTemporarySecret(ctx context.Context, subject caveat.Subject, old, secret store.Secret) (bool, error) {
	subject = sealing.Below(subject)
	at := recordIDOfTemporary(subject)
	sealed, err := s.sealer().seal(ctx, at, secret)
	if err != nil {
		return false, err
	}
	if old.IsZero() || secret.IsZero() || store.ValidateHolder(subject) != nil {
		// Nothing can be replaced, or the backend rejects the arguments.
		return s.backend.ReplaceTemporarySecret(ctx, subject, store.Secret{}, sealed)
	}
	for {
		key, err := s.backend.TemporaryKey(ctx, subject)
		if errors.Is(err, errors.IDNotFound) {
			return false, nil
		}
		opened, err := s.openKey(ctx, at, key, err)
		if err != nil || !opened.Secret.Equal(old) {
			return false, err
		}
		replaced, err := s.backend.ReplaceTemporarySecret(ctx, subject, key.Secret, sealed)
		if replaced || err != nil {
			return replaced, err
		}
	}
}

// transformAll returns copies of the records with transformed secrets. It does
// not change a record with several fields or none; the backend rejects it.
func transformAll(ctx context.Context, records []store.Record, transform transformFunc) ([]store.Record, error) {
	all := make([]store.Record, len(records))
	for i, r := range records {
		err := errors.Join(
			transformField(ctx, &r.Identity, secretOfIdentity, transform),
			transformField(ctx, &r.Temporary, secretOfTemporary, transform),
			transformField(ctx, &r.Token, secretOfToken, transform),
		)
		if err != nil {
			return nil, err
		}
		all[i] = r
	}
	return all, nil
}

// transformField replaces the record, if it is set, by a copy with a
// transformed secret.
func transformField[R any](ctx context.Context, record **R, of secretOf[R], transform transformFunc) error {
	if *record == nil {
		return nil
	}
	r, err := transformed(ctx, **record, of, transform)
	*record = &r
	return err
}

// withoutCanary returns the records except the canary.
func withoutCanary(records []store.Record) []store.Record {
	return slices.DeleteFunc(records, func(r store.Record) bool {
		return r.Temporary != nil && r.Temporary.Subject == sealing.Canary()
	})
}

// renameSubjects returns the records with the subjects of temporary secrets
// renamed.
func renameSubjects(records []store.Record, rename func(caveat.Subject) caveat.Subject) []store.Record {
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
