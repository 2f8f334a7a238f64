package memory

import (
	"context"
	"slices"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// holder contains everything about a subject except its named tokens. It is
// immutable; a change of the subject stores a new one. It holds both identity
// and secret, so that a verification reads both from the same moment.
type holder struct {
	identity   *store.Identity // nil: no identity
	secret     store.Secret    // of temporary tokens
	generation int64           // of the secret; 0: no secret
}

func (h *holder) status() store.Status {
	if h == nil || h.identity == nil {
		return store.HolderMissing
	}
	return h.identity.Status()
}

// key returns the key of temporary tokens, and whether the subject has one.
func (h *holder) key(subject caveat.Subject) (store.Key, bool) {
	if h == nil || h.generation == 0 {
		return store.Key{}, false
	}
	return store.Key{Secret: h.secret, Subject: subject, Generation: h.generation, Holder: h.status()}, true
}

// NamedKey implements [store.Keys].
func (s *Store) NamedKey(ctx context.Context, id string) (store.Key, error) {
	if err := backend.Check(ctx, &s.life, "look up the key of a named token"); err != nil {
		return store.Key{}, err
	}
	for {
		e, t := s.find(id)
		if e == nil {
			return store.Key{}, errors.NotFound()
		}
		status := s.holders.get(t.Subject).status()
		if e.token.Load() != t {
			// The record changed while the status was read, so the two may
			// belong to different moments: a token that was revoked before its
			// holder was unblocked would be valid.
			continue
		}
		return store.Key{
			Secret:       t.Secret,
			Subject:      t.Subject,
			Revoked:      t.Revoked,
			RevokedTails: slices.Clip(t.RevokedTails),
			Tightened:    slices.Clip(t.Tightened),
			Bait:         t.Bait,
			Holder:       status,
		}, nil
	}
}

// TemporaryKey implements [store.Keys].
func (s *Store) TemporaryKey(ctx context.Context, subject caveat.Subject) (store.Key, error) {
	if err := backend.Check(ctx, &s.life, "look up the key of temporary tokens"); err != nil {
		return store.Key{}, err
	}
	key, ok := s.holders.get(subject).key(subject)
	if !ok {
		return store.Key{}, errors.NotFound()
	}
	return key, nil
}

func (s driver) EnsureTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (store.Key, error) {
	if key, ok := s.holders.get(subject).key(subject); ok {
		return key, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.holders.get(subject).key(subject); !ok {
		s.setTemporary(subject, secret, 1)
	}
	key, _ := s.holders.get(subject).key(subject)
	return key, nil
}

func (s driver) RotateTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	generation := s.holder(subject).generation + 1
	if generation < 0 {
		return 0, errors.New("the generation has reached its maximum")
	}
	s.setTemporary(subject, secret, generation)
	return generation, nil
}

func (s driver) DeleteTemporaryKey(ctx context.Context, subject caveat.Subject) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holder(subject).generation != 0 {
		s.setTemporary(subject, store.Secret{}, 0)
	}
	return nil
}

func (s driver) ReplaceTemporarySecret(ctx context.Context, subject caveat.Subject, old, secret store.Secret) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.holder(subject)
	if h.generation == 0 || !h.secret.Equal(old) {
		return false, nil
	}
	s.setTemporary(subject, secret, h.generation)
	return true, nil
}

// holder returns a copy of the subject's holder. Like the functions below, it
// must be called with the mutex held.
func (s *Store) holder(subject caveat.Subject) holder {
	if h := s.holders.get(subject); h != nil {
		return *h
	}
	return holder{}
}

// setTemporary replaces the temporary secret of the subject. Generation 0
// deletes it.
func (s *Store) setTemporary(subject caveat.Subject, secret store.Secret, generation int64) {
	h := s.holder(subject)
	track(s.temporary, subject, h.generation != 0, generation != 0)
	h.secret, h.generation = secret, generation
	s.setHolder(subject, h)
	s.publish(store.Change{Kind: store.TemporaryChanged, Subject: subject})
}

func (s *Store) setHolder(subject caveat.Subject, h holder) {
	if h.identity == nil && h.generation == 0 {
		s.holders.remove(subject)
		return
	}
	s.holders.put(subject, &h)
}

// track adds the subject to the index or removes it, if that is a change.
func track(x *index[caveat.Subject], subject caveat.Subject, had, has bool) {
	switch {
	case has && !had:
		x.insert(subject)
	case had && !has:
		x.remove(subject)
	}
}
