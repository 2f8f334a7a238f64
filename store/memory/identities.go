package memory

import (
	"cmp"
	"context"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

func compareSubjects(a, b caveat.Subject) int {
	return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.ID, b.ID))
}

func (s driver) CreateIdentity(ctx context.Context, i store.Identity) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holder(i.Subject).identity != nil {
		return errors.AlreadyExists()
	}
	if s.usernameTaken(i) {
		return errors.BadValueIdentifierOccupied("username")
	}
	i = i.Clone()
	s.setIdentity(i.Subject, &i)
	return nil
}

func (s driver) GetIdentity(ctx context.Context, subject caveat.Subject) (store.Identity, error) {
	h := s.holders.get(subject)
	if h == nil || h.identity == nil {
		return store.Identity{}, errors.NotFound()
	}
	return h.identity.Clone(), nil
}

func (s driver) GetIdentityByUsername(ctx context.Context, username string) (store.Identity, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	subject, ok := s.usernames[username]
	if !ok {
		return store.Identity{}, errors.NotFound()
	}
	return s.holders.get(subject).identity.Clone(), nil
}

func (s driver) UpdateIdentity(ctx context.Context, subject caveat.Subject, change func(*store.Identity) error) error {
	for {
		h := s.holders.get(subject)
		if h == nil || h.identity == nil {
			return errors.NotFound()
		}
		updated, err := store.UpdateIdentity(*h.identity, change)
		if err != nil {
			return err
		}
		if done, err := s.replaceIdentity(h.identity, &updated); done || err != nil {
			return err
		}
	}
}

// replaceIdentity replaces old by updated. It returns false if old is not the
// current record.
func (s *Store) replaceIdentity(old, updated *store.Identity) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holder(old.Subject).identity != old {
		return false, nil
	}
	if s.usernameTaken(*updated) {
		return false, errors.BadValueIdentifierOccupied("username")
	}
	s.setIdentity(old.Subject, updated)
	return true, nil
}

func (s driver) DeleteIdentity(ctx context.Context, subject caveat.Subject) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holder(subject).identity == nil {
		return errors.NotFound()
	}
	s.setIdentity(subject, nil)
	return nil
}

// usernameTaken reports whether the user name belongs to another subject.
func (s *Store) usernameTaken(i store.Identity) bool {
	owner, ok := s.usernames[i.Username]
	return ok && owner != i.Subject
}

// setIdentity replaces the identity of the subject and its user name, which
// must be free. nil deletes it.
func (s *Store) setIdentity(subject caveat.Subject, i *store.Identity) {
	h := s.holder(subject)
	track(s.identities, subject, h.identity != nil, i != nil)
	if h.identity != nil && s.usernames[h.identity.Username] == subject {
		// An import may have given the name to another user already.
		delete(s.usernames, h.identity.Username)
	}
	if i != nil && i.Username != "" {
		s.usernames[i.Username] = subject
	}
	h.identity = i
	s.setHolder(subject, h)
	s.publish(store.Change{Kind: store.IdentityChanged, Subject: subject})
}
