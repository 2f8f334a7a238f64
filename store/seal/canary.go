package seal

import (
	"context"
	"fmt"
	"iter"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/sealing"
)

// The canary is the temporary secret of a reserved subject. It shows every
// process that the store is sealed, under which key, and which secrets open.
// Its text is one of these constants.
const (
	// canaryMixed: secrets of version 1 open if AllowOutdated is set, and
	// secrets that are not sealed open if AllowPlaintext is set.
	canaryMixed = "onezone seal: mixed"
	// canaryComplete: only secrets of version 2 open.
	canaryComplete = "onezone seal: complete"
)

// ensureCanary checks that the ring is that of the store, and creates the
// canary if it is missing.
func (s *sealed) ensureCanary(ctx context.Context) error {
	err := s.Check(ctx)
	if !errors.Is(err, errNoCanary) {
		return err
	}
	text, err := s.inspect(ctx)
	if err != nil {
		return fmt.Errorf("check the first records of the store: %w", err)
	}
	at := recordIDOfTemporary(sealing.Canary())
	secret, err := s.sealer().seal(ctx, at, store.NewSecret(text))
	if err != nil {
		return err
	}
	// Another process may have created it first, with another ring.
	key, err := s.backend.EnsureTemporaryKey(ctx, at.subject, secret)
	if err != nil {
		return fmt.Errorf("create the canary of the store: %w", err)
	}
	return s.readCanary(ctx, key.Secret)
}

var errNoCanary = errors.New("the canary of the store is missing: the records of the backend were removed or replaced")

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

// readCanary opens the canary and applies its text.
func (s *sealed) readCanary(ctx context.Context, kept store.Secret) error {
	text, err := sealer{ring: s.ring}.open(ctx, recordIDOfTemporary(sealing.Canary()), kept)
	switch {
	case err != nil:
		return err
	case text.Reveal() == canaryComplete:
		s.complete.Store(true)
	case text.Reveal() != canaryMixed:
		return errors.New("the canary of the store was written by a newer release")
	}
	return nil
}

// inspect returns the text of the first canary of a store. It reads one page of
// records of each kind. If there are secrets, at least one must open: otherwise
// the ring is wrong, or the store was never sealed.
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
		case !isRecordError(err):
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

// sample yields the first page of records of each kind.
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

// opener returns the sealer that opens the secrets. If one of them is not in
// the current form, it first reads the canary, because another process may have
// resealed the store.
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

// markComplete seals the canary under the primary key and marks the store as
// complete. From then on only secrets of version 2 open. It runs last, because
// an older key is needed while the canary is sealed under it.
func (r resealer) markComplete(ctx context.Context) error {
	at := recordIDOfTemporary(sealing.Canary())
	for {
		key, err := r.backend.TemporaryKey(ctx, at.subject)
		if errors.Is(err, errors.IDNotFound) {
			return errNoCanary
		}
		if err != nil {
			return fmt.Errorf("look up the canary of the store: %w", err)
		}
		text, err := sealer{ring: r.ring}.open(ctx, at, key.Secret)
		if err != nil || text.Reveal() == canaryComplete && !r.needsReseal(key.Secret) {
			return err
		}
		resealed, err := r.seal(ctx, at, store.NewSecret(canaryComplete))
		if err != nil {
			return err
		}
		replaced, err := r.backend.ReplaceTemporarySecret(ctx, at.subject, key.Secret, resealed)
		if err != nil {
			return fmt.Errorf("renew the canary of the store: %w", err)
		}
		if replaced {
			return nil
		}
	}
}
