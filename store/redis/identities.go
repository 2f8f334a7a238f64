package redis

import (
	"context"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

func (s driver) CreateIdentity(ctx context.Context, i store.Identity) error {
	key := s.subjectKey(identityKind, i.Subject)
	err := s.writeIdentity(ctx, "", i, isAbsent(key, errors.AlreadyExists()))
	if errors.Is(err, errors.IDBadValueIdentifierOccupied) {
		// The name may be taken by the subject itself, which is then reported
		// instead.
		value, readErr := s.get(ctx, key)
		if value != "" {
			err = errors.AlreadyExists()
		} else if readErr != nil {
			err = readErr
		}
	}
	return err
}

// writeIdentity writes the record if the check holds, and moves the pointer of
// its user name.
func (s *Store) writeIdentity(ctx context.Context, hadUsername string, i store.Identity, check op) error {
	record := step{ops: append([]op{check}, s.putIdentity(i)...)}
	if i.Username == hadUsername {
		_, err := s.commit(ctx, record)
		return err
	}
	cleanup, err := s.releaseUsername(ctx, i.Subject, hadUsername)
	if err != nil {
		return err
	}
	if i.Username == "" {
		_, err := s.commit(ctx, record, cleanup)
		return err
	}
	return s.claim(ctx, s.usernameClaim(i), record, cleanup)
}

// usernameClaim returns the claim of the identity's user name.
func (s *Store) usernameClaim(i store.Identity) claim {
	return claim{
		key:     s.pointerKey(usernamePointer, i.Username),
		subject: i.Subject,
		taken:   errors.BadValueIdentifierOccupied("username"),
		holder: func(ctx context.Context, subject caveat.Subject) (key, value string, leads bool, err error) {
			key = s.subjectKey(identityKind, subject)
			holder, value, err := s.identity(ctx, subject)
			return key, value, value != "" && holder.Username == i.Username, err
		},
	}
}

// releaseUsername deletes the pointer from the user name to the subject.
func (s *Store) releaseUsername(ctx context.Context, subject caveat.Subject, username string) (step, error) {
	if username == "" {
		return step{cleanup: true}, nil
	}
	key := s.pointerKey(usernamePointer, username)
	p, err := s.pointer(ctx, key)
	if err != nil || p.subject != subject {
		return step{cleanup: true}, err
	}
	return step{ops: release(key, p.revision), cleanup: true}, nil
}

// putIdentity writes the record and publishes the change.
func (s *Store) putIdentity(i store.Identity) []op {
	return []op{
		write("SET", s.subjectKey(identityKind, i.Subject), encodeIdentity(i)),
		write("ZADD", s.indexKey(allIdentities, i.Subject), "0", i.Subject.String()),
		s.publishIdentity(i.Subject),
	}
}

// identity returns the record and its encoded value, "" for none.
func (s *Store) identity(ctx context.Context, subject caveat.Subject) (store.Identity, string, error) {
	value, err := s.get(ctx, s.subjectKey(identityKind, subject))
	if value == "" || err != nil {
		return store.Identity{}, "", err
	}
	i, err := decodeIdentity(subject, value)
	return i, value, err
}

func (s driver) GetIdentity(ctx context.Context, subject caveat.Subject) (store.Identity, error) {
	i, _, err := s.knownIdentity(ctx, subject)
	return i, err
}

func (s driver) GetIdentityByUsername(ctx context.Context, username string) (i store.Identity, err error) {
	err = s.follow(ctx, s.pointerKey(usernamePointer, username), func(subject caveat.Subject) (bool, error) {
		var value string
		i, value, err = s.identity(ctx, subject)
		return value != "" && i.Username == username, err
	})
	return i, err
}

// UpdateIdentity implements [store.Identities] like UpdateToken.
func (s driver) UpdateIdentity(ctx context.Context, subject caveat.Subject, change func(*store.Identity) error) error {
	return s.retryStale(ctx, func() error {
		old, unchanged, err := s.knownIdentity(ctx, subject)
		if err != nil {
			return err
		}
		updated, err := store.UpdateIdentity(old, change)
		if err != nil {
			return err
		}
		return s.writeIdentity(ctx, old.Username, updated, unchanged)
	})
}

// knownIdentity returns the record and the check that it is unchanged.
// notFound: there is no such identity.
func (s *Store) knownIdentity(ctx context.Context, subject caveat.Subject) (store.Identity, op, error) {
	i, value, err := s.identity(ctx, subject)
	if err == nil && value == "" {
		err = errors.NotFound()
	}
	return i, hasRevision(s.subjectKey(identityKind, subject), revision(value), errStale), err
}

func (s driver) DeleteIdentity(ctx context.Context, subject caveat.Subject) error {
	return s.retryStale(ctx, func() error {
		old, unchanged, err := s.knownIdentity(ctx, subject)
		if err != nil {
			return err
		}
		cleanup, err := s.releaseUsername(ctx, subject, old.Username)
		if err != nil {
			return err
		}
		_, err = s.commit(ctx, step{ops: []op{
			unchanged,
			write("DEL", unchanged.key),
			write("ZREM", s.indexKey(allIdentities, subject), subject.String()),
			s.publishIdentity(subject),
		}}, cleanup)
		return err
	})
}
