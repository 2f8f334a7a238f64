package seal

import (
	"context"
	"fmt"
	"iter"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/sealing"
)

// The canary is the temporary secret of a reserved subject. It tells every
// process that the store is sealed, under which key, and what else opens; its
// secret is one of these texts.
const (
	// canaryMixed: secrets of version 1 open where AllowOutdated is set, and those
	// that are not sealed where AllowPlaintext is.
	canaryMixed = "onezone seal: mixed"
	// canaryComplete: only secrets of version 2 open.
	canaryComplete = "onezone seal: complete"
)

// begin makes sure that the ring is that of the store. It leaves a canary where
// there is none.
func (s *sealed) begin(ctx context.Context) error {
	err := s.Check(ctx)
	if !errors.Is(err, errNoCanary) {
		return err
	}
	text, err := s.inspect(ctx)
	if err != nil {
		return fmt.Errorf("check the first records of the store: %w", err)
	}
	at := placeOfTemporary(sealing.Canary())
	secret, err := s.sealer().seal(ctx, at, store.NewSecret(text))
	if err != nil {
		return err
	}
	// Another process may be faster, with another ring.
	key, err := s.backend.EnsureTemporaryKey(ctx, at.subject, secret)
	if err != nil {
		return fmt.Errorf("leave a canary in the store: %w", err)
	}
	return s.readCanary(ctx, key.Secret)
}

var errNoCanary = errors.New("the canary of the store is missing: the records of the backend were removed or replaced")

// Check implements [Store].
func (s *sealed) Check(ctx context.Context) error {
	key, err := s.backend.TemporaryKey(ctx, sealing.Canary())
	switch {
	case errors.Is(err, errors.IDNotFound):
		return errNoCanary
	case err != nil:
		return fmt.Errorf("look up the canary of the store: %w", err)
	}
	return s.readCanary(ctx, key.Secret)
}

// readCanary opens the canary and keeps to what it says.
func (s *sealed) readCanary(ctx context.Context, kept store.Secret) error {
	text, err := sealer{ring: s.ring}.open(ctx, placeOfTemporary(sealing.Canary()), kept)
	switch {
	case err != nil:
		return err
	case text.Reveal() == canaryComplete:
		s.complete.Store(true)
	case text.Reveal() != canaryMixed:
		return errors.New("the canary of the store was left by a newer release")
	}
	return nil
}

// inspect returns the text of the first canary of a store. One page of records of
// each kind tells what is in the store: of those that have a secret one must open,
// or else the ring is another, or the store was never sealed.
func (s *sealed) inspect(ctx context.Context) (canary string, err error) {
	var opened bool
	var refused error
	canary = canaryComplete
	if s.options.AllowPlaintext || s.options.AllowOutdated {
		canary = canaryMixed
	}
	opener := sealer{s.ring, s.options.AllowPlaintext, s.options.AllowOutdated}
	for record, err := range s.sample(ctx) {
		if err != nil {
			return "", err
		}
		at, secret := secretIn(record)
		if secret.IsZero() {
			continue
		}
		switch _, err := opener.open(ctx, at, secret); {
		case err == nil:
			opened = true
		case !isOfRecord(err):
			return "", err
		case refused == nil:
			refused = err
		}
	}
	if !opened && refused != nil {
		return "", refused
	}
	return canary, nil
}

// sample gives the first page of records of each kind.
func (s *sealed) sample(ctx context.Context) iter.Seq2[store.Record, error] {
	return func(yield func(store.Record, error) bool) {
		for kind := store.IdentityRecords; kind <= store.TokenRecords; kind++ {
			records, _, err := s.backend.Export(ctx, kind, "", store.DefaultPage)
			if err != nil {
				yield(store.Record{}, fmt.Errorf("export records of kind %s: %w", kind, err))
				return
			}
			for _, r := range records {
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}

// opener returns what opens the secrets. Where one of them would not open once
// another process has resealed all, it first looks whether that is so.
func (s *sealed) opener(ctx context.Context, secrets iter.Seq[store.Secret]) (sealer, error) {
	if s.complete.Load() {
		return s.sealer(), nil
	}
	for secret := range secrets {
		if secret.IsZero() || isCurrent(secret) {
			continue
		}
		if err := s.Check(ctx); err != nil {
			return sealer{}, err
		}
		break
	}
	return s.sealer(), nil
}

// markComplete seals the canary, which says from then on that only secrets of
// version 2 open, under the primary key. It comes last: an older key is needed as
// long as the canary is sealed under it.
func (r resealer) markComplete(ctx context.Context) error {
	at := placeOfTemporary(sealing.Canary())
	for {
		key, err := r.backend.TemporaryKey(ctx, at.subject)
		if errors.Is(err, errors.IDNotFound) {
			return errNoCanary
		}
		if err != nil {
			return fmt.Errorf("look up the canary of the store: %w", err)
		}
		text, err := sealer{ring: r.ring}.open(ctx, at, key.Secret)
		if err != nil || text.Reveal() == canaryComplete && !r.isDue(key.Secret) {
			return err
		}
		anew, err := r.seal(ctx, at, store.NewSecret(canaryComplete))
		if err != nil {
			return err
		}
		replaced, err := r.backend.ReplaceTemporarySecret(ctx, at.subject, key.Secret, anew)
		if err != nil {
			return fmt.Errorf("renew the canary of the store: %w", err)
		}
		if replaced {
			return nil
		}
	}
}
