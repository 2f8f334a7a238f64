package seal

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/transfer"
)

// ResealOptions configures [Store.Reseal]. The zero value reseals all records
// and rejects secrets that are not sealed.
type ResealOptions struct {
	From     transfer.Position    // position where an earlier call stopped
	PageSize int                  // records per page, as in [transfer.Walk]
	Progress func(ResealProgress) // called after each page, if not nil

	// SealPlaintext also seals secrets in clear, and secrets that an earlier
	// release sealed. Set it only for a store that was in use without a seal,
	// or if such secrets remain after a complete Reseal: it makes planted
	// secrets look genuine.
	SealPlaintext bool
}

// ResealProgress is the state of a [Store.Reseal]. All records before Next are
// sealed under the primary key.
type ResealProgress struct {
	Records  int64 // read by this call
	Resealed int64 // of these, written
	Next     transfer.Position
}

func (s *sealed) Reseal(ctx context.Context, o ResealOptions) (ResealProgress, error) {
	done := ResealProgress{Next: o.From}
	primary, err := primaryKeyID(ctx, s.ring)
	if err != nil {
		return done, err
	}
	if err := s.Check(ctx); err != nil { // another process may have completed a Reseal
		return done, err
	}
	outdated := s.options.AllowOutdated && !s.complete.Load()
	r := resealer{s.backend, sealer{s.ring, o.SealPlaintext, outdated || o.SealPlaintext}, primary}
	if err := r.walk(ctx, o, &done); err != nil {
		return done, err
	}
	if o.From != (transfer.Position{}) {
		// An earlier call sealed the records before it, maybe with another
		// ring.
		before := ResealProgress{}
		err := r.walk(ctx, ResealOptions{PageSize: o.PageSize}, &before)
		done.Resealed += before.Resealed
		if err != nil {
			done.Next = before.Next
			return done, err
		}
	}
	if err := r.markComplete(ctx); err != nil {
		return done, err
	}
	s.complete.Store(true)
	if err := s.backend.Scrub(ctx); err != nil {
		return done, fmt.Errorf("all records are sealed, but old secrets may remain in the files of the store: %w", err)
	}
	return done, nil
}

// primaryKeyID wraps a throwaway key to learn the id of the primary key.
func primaryKeyID(ctx context.Context, ring KeyRing) (string, error) {
	key := make([]byte, dataKeySize)
	rand.Read(key) // never fails
	keyID, _, err := ring.Wrap(ctx, key, recordID{}.additionalData(version2))
	if err != nil {
		return "", fmt.Errorf("find out the primary key: %w", operational(err))
	}
	return keyID, nil
}

type resealer struct {
	backend store.Store
	sealer
	primary string
}

// walk reseals the records that come after o.From.
func (r resealer) walk(ctx context.Context, o ResealOptions, done *ResealProgress) error {
	for page, err := range transfer.Walk(ctx, r.backend, o.From, o.PageSize) {
		if err != nil {
			return err
		}
		records := withoutCanary(page.Records)
		for _, record := range records {
			resealed, err := r.reseal(ctx, record)
			if err != nil {
				return err
			}
			if resealed {
				done.Resealed++
			}
		}
		done.Records += int64(len(records))
		if done.Next = page.Next; done.Next.Kind == store.UseRecords { // which have no secrets
			done.Next.Kind++
		}
		if o.Progress != nil {
			o.Progress(*done)
		}
		if done.Next.IsEnd() {
			return nil
		}
	}
	return nil
}

// reseal reseals the record if necessary, and reports whether it did.
func (r resealer) reseal(ctx context.Context, record store.Record) (bool, error) {
	at, sealed := secretIn(record)
	for r.needsReseal(sealed) {
		secret, err := r.open(ctx, at, sealed)
		if err != nil {
			return false, err
		}
		resealed, err := r.seal(ctx, at, secret)
		if err != nil {
			return false, err
		}
		replaced, err := r.replace(ctx, at, sealed, resealed)
		if err == nil && !replaced {
			// The record was written concurrently, maybe under a key that is
			// not primary: read it again.
			var now store.Record
			if now, err = store.Current(ctx, r.backend, record); err == nil {
				record = now
				at, sealed = secretIn(now)
			}
		}
		switch {
		case errors.Is(err, errors.IDNotFound):
			return false, nil // deleted concurrently
		case err != nil:
			return false, fmt.Errorf("reseal the secret of %s: %w", at, err)
		case replaced:
			return true, nil
		}
	}
	return false, nil
}

// needsReseal reports whether the secret exists but is not sealed under the
// primary key in a current version.
func (r resealer) needsReseal(sealed store.Secret) bool {
	e, err := parseEnvelope(sealed.Reveal())
	return !sealed.IsZero() && (err != nil || e.version == version1 || e.keyID != r.primary)
}

// secretIn returns the id of the record and its secret, which is zero for an
// empty record.
func secretIn(r store.Record) (at recordID, secret store.Secret) {
	p := &secret
	switch {
	case r.Identity != nil:
		at, p = secretOfIdentity(r.Identity)
	case r.Temporary != nil:
		at, p = secretOfTemporary(r.Temporary)
	case r.Token != nil:
		at, p = secretOfToken(r.Token)
	}
	return at, *p
}

// errOther stops an update that finds another secret.
var errOther = errors.New("the secret has changed")

// replace replaces the secret old. It returns false if the record has another
// secret.
func (r resealer) replace(ctx context.Context, at recordID, old, secret store.Secret) (replaced bool, err error) {
	switch at.kind {
	case store.IdentityRecords:
		err = r.backend.UpdateIdentity(ctx, at.subject, func(i *store.Identity) error {
			return replaceIn(i, secretOfIdentity, at, old, secret)
		})
	case store.TemporaryRecords:
		return r.backend.ReplaceTemporarySecret(ctx, at.subject, old, secret)
	default:
		err = r.backend.UpdateToken(ctx, at.id, func(t *store.Token) error {
			return replaceIn(t, secretOfToken, at, old, secret)
		})
	}
	if errors.Is(err, errOther) {
		return false, nil
	}
	return err == nil, err
}

func replaceIn[R any](record *R, of secretOf[R], at recordID, old, secret store.Secret) error {
	there, p := of(record)
	if there != at || !p.Equal(old) {
		return errOther
	}
	*p = secret
	return nil
}
