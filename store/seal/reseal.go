package seal

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/transfer"
)

// ResealOptions is how [Store.Reseal] works. The zero value walks through all
// records and refuses secrets that are not sealed.
type ResealOptions struct {
	From     transfer.Position    // where an earlier call stopped
	PageSize int                  // records that are read at once, as in [transfer.Walk]
	Progress func(ResealProgress) // called after each page; nil: nobody is told

	// SealPlaintext seals also what is not sealed, so that a store that was in
	// use before comes under seal, and what an earlier release sealed after a
	// complete Reseal. Do not set it otherwise: what somebody planted in the
	// database would look genuine afterwards.
	SealPlaintext bool
}

// ResealProgress is how far a [Store.Reseal] has come. All before Next is sealed
// under the primary key.
type ResealProgress struct {
	Records  int64 // seen by this call
	Resealed int64 // of these, written
	Next     transfer.Position
}

// Reseal implements [Store].
func (s *sealed) Reseal(ctx context.Context, o ResealOptions) (ResealProgress, error) {
	done := ResealProgress{Next: o.From}
	primary, err := primaryOf(ctx, s.ring)
	if err != nil {
		return done, err
	}
	if err := s.Check(ctx); err != nil { // another process may have sealed all
		return done, err
	}
	outdated := s.options.AllowOutdated && !s.complete.Load()
	r := resealer{s.backend, sealer{s.ring, o.SealPlaintext, outdated || o.SealPlaintext}, primary}
	if err := r.walk(ctx, o, &done); err != nil {
		return done, err
	}
	if o.From != (transfer.Position{}) {
		// What comes before was for an earlier call, maybe one with another ring.
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
		return done, fmt.Errorf("all records are sealed, but what they overwrote may be left in the files of the store: %w", err)
	}
	return done, nil
}

// primaryOf wraps a key that nobody needs to learn which key the ring wraps with.
func primaryOf(ctx context.Context, ring KeyRing) (string, error) {
	key := make([]byte, dataKeySize)
	rand.Read(key) // never fails
	keyID, _, err := ring.Wrap(ctx, key, place{}.additional(version2))
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
		records := toldRecords(page.Records)
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
		done.Next = page.Next
		if o.Progress != nil {
			o.Progress(*done)
		}
	}
	return nil
}

// reseal reports whether it wrote the record.
func (r resealer) reseal(ctx context.Context, record store.Record) (bool, error) {
	at, sealed := secretIn(record)
	for r.isDue(sealed) {
		secret, err := r.open(ctx, at, sealed)
		if err != nil {
			return false, err
		}
		anew, err := r.seal(ctx, at, secret)
		if err != nil {
			return false, err
		}
		replaced, err := r.replace(ctx, at, sealed, anew)
		if err == nil && !replaced {
			// Somebody wrote it meanwhile, maybe under a key that is no longer
			// primary: look at what there is now.
			at, sealed, err = r.current(ctx, at)
		}
		switch {
		case errors.Is(err, errors.IDNotFound):
			return false, nil // deleted meanwhile
		case err != nil:
			return false, fmt.Errorf("seal the secret of %s anew: %w", at, err)
		case replaced:
			return true, nil
		}
	}
	return false, nil
}

// isDue reports whether the secret is there and not sealed under the primary key
// in the current version.
func (r resealer) isDue(sealed store.Secret) bool {
	e, err := parseEnvelope(sealed.Reveal())
	return !sealed.IsZero() && (err != nil || e.version != version2 || e.keyID != r.primary)
}

// secretIn returns the place of the record and its secret; the zero Secret where
// there is no record.
func secretIn(r store.Record) (at place, secret store.Secret) {
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

// current reads the record at the place again.
func (r resealer) current(ctx context.Context, at place) (place, store.Secret, error) {
	var record store.Record
	var err error
	switch at.kind {
	case store.IdentityRecords:
		record.Identity = new(store.Identity)
		*record.Identity, err = r.backend.GetIdentity(ctx, at.subject)
	case store.TemporaryRecords:
		var key store.Key
		key, err = r.backend.TemporaryKey(ctx, at.subject)
		record.Temporary = &store.Temporary{Subject: at.subject, Secret: key.Secret}
	default:
		record.Token = new(store.Token)
		*record.Token, err = r.backend.GetToken(ctx, at.id)
	}
	if err != nil {
		return at, store.Secret{}, err
	}
	at, sealed := secretIn(record)
	return at, sealed, nil
}

// errOther keeps an update from writing.
var errOther = errors.New("the secret is another")

// replace puts the secret in place of old. It reports whether that was there.
func (r resealer) replace(ctx context.Context, at place, old, secret store.Secret) (replaced bool, err error) {
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

func replaceIn[R any](record *R, of secretOf[R], at place, old, secret store.Secret) error {
	there, p := of(record)
	if there != at || !p.Equal(old) {
		return errOther
	}
	*p = secret
	return nil
}
