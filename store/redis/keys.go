package redis

import (
	"context"
	"math"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// NamedKey implements [store.Keys]. It asks the server once, and twice in a
// Cluster.
func (s *Store) NamedKey(ctx context.Context, id string) (key store.Key, err error) {
	const lookUp = "look up the key of a named token"
	if err := s.ready(ctx, lookUp); err != nil {
		return store.Key{}, err
	}
	err = s.locate(ctx, id, func(of caveat.Subject, token, identity string) (bool, error) {
		if key, err = decodeKey(token); err != nil {
			return false, err
		}
		key.Holder, err = decodeStatus(identity)
		return key.Subject == of, err
	})
	if err != nil {
		return store.Key{}, during(lookUp, err)
	}
	return key, nil
}

// TemporaryKey implements [store.Keys]. It asks the server once.
func (s *Store) TemporaryKey(ctx context.Context, subject caveat.Subject) (store.Key, error) {
	const lookUp = "look up the key of temporary tokens"
	if err := s.ready(ctx, lookUp); err != nil {
		return store.Key{}, err
	}
	key, err := s.temporaryKey(ctx, subject)
	return key, during(lookUp, err)
}

func (s *Store) temporaryKey(ctx context.Context, subject caveat.Subject) (store.Key, error) {
	if !isHolder(subject) {
		return store.Key{}, errors.NotFound()
	}
	value, identity, err := s.pair(ctx, s.subjectKey(temporaryKind, subject), s.subjectKey(identityKind, subject))
	if err != nil {
		return store.Key{}, err
	}
	if value == "" {
		return store.Key{}, errors.NotFound()
	}
	t, err := decodeTemporary(subject, value)
	if err != nil {
		return store.Key{}, err
	}
	status, err := decodeStatus(identity)
	if err != nil {
		return store.Key{}, err
	}
	return store.Key{Secret: t.Secret, Subject: subject, Generation: t.Generation, Holder: status}, nil
}

// EnsureTemporaryKey implements [store.Keys].
func (s *Store) EnsureTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (store.Key, error) {
	const ensure = "make sure of a key of temporary tokens"
	if err := s.readyFor(ctx, ensure, subject, secret); err != nil {
		return store.Key{}, err
	}
	var key store.Key
	err := s.untilFresh(ctx, ensure, func() (err error) {
		key, err = s.temporaryKey(ctx, subject)
		if errors.Is(err, errors.IDNotFound) {
			t := store.Temporary{Subject: subject, Secret: secret, Generation: 1}
			if _, err = s.commit(ctx, s.putTemporary(t, "")); err == nil {
				key, err = s.temporaryKey(ctx, subject)
			}
		}
		return during(ensure, err)
	})
	return key, err
}

// errGenerations is that of a subject that has used up all of them.
var errGenerations = errors.New("there is no higher generation")

// RotateTemporaryKey implements [store.Keys].
func (s *Store) RotateTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (generation int64, err error) {
	const rotate = "rotate a key of temporary tokens"
	err = s.changeTemporary(ctx, rotate, subject, secret, func(t store.Temporary) (store.Temporary, bool) {
		if t.Generation == math.MaxInt64 {
			generation = 0
			return t, false
		}
		generation = t.Generation + 1
		return store.Temporary{Subject: subject, Secret: secret, Generation: generation}, true
	})
	if err != nil {
		return 0, err
	}
	if generation == 0 {
		return 0, during(rotate, errGenerations)
	}
	return generation, nil
}

// ReplaceTemporarySecret implements [store.Archive].
func (s *Store) ReplaceTemporarySecret(ctx context.Context, subject caveat.Subject, old, secret store.Secret) (replaced bool, err error) {
	err = s.changeTemporary(ctx, "replace a secret of temporary tokens", subject, secret, func(t store.Temporary) (store.Temporary, bool) {
		replaced = t.Generation > 0 && t.Secret.Equal(old)
		return store.Temporary{Subject: subject, Secret: secret, Generation: t.Generation}, replaced
	})
	return replaced && err == nil, err
}

// changeTemporary writes what change makes of the record of the subject, zero
// for none, if it says so. change may be called more than once.
func (s *Store) changeTemporary(
	ctx context.Context, something string, subject caveat.Subject, secret store.Secret,
	change func(store.Temporary) (changed store.Temporary, ok bool),
) error {
	if err := s.readyFor(ctx, something, subject, secret); err != nil {
		return err
	}
	return s.untilFresh(ctx, something, func() error {
		value, err := s.get(ctx, s.subjectKey(temporaryKind, subject))
		var old store.Temporary
		if err == nil && value != "" {
			old, err = decodeTemporary(subject, value)
		}
		if err != nil {
			return during(something, err)
		}
		changed, ok := change(old)
		if !ok {
			return nil
		}
		_, err = s.commit(ctx, s.putTemporary(changed, revision(value)))
		return during(something, err)
	})
}

// DeleteTemporaryKey implements [store.Keys].
func (s *Store) DeleteTemporaryKey(ctx context.Context, subject caveat.Subject) error {
	const remove = "delete a key of temporary tokens"
	if err := s.ready(ctx, remove); err != nil {
		return err
	}
	if !isHolder(subject) {
		return nil
	}
	_, err := s.commit(ctx, step{ops: []op{
		write("DEL", s.subjectKey(temporaryKind, subject)),
		write("ZREM", s.indexKey(allTemporaries, subject), subject.String()),
		s.publishTemporary(subject),
	}})
	return during(remove, err)
}

// readyFor is ready for a call that is given a temporary secret.
func (s *Store) readyFor(ctx context.Context, something string, subject caveat.Subject, secret store.Secret) error {
	if err := s.ready(ctx, something); err != nil {
		return err
	}
	return store.Temporary{Subject: subject, Secret: secret, Generation: 1}.Validate()
}

// putTemporary writes the record in place of the one with the revision.
func (s *Store) putTemporary(t store.Temporary, revision string) step {
	key := s.subjectKey(temporaryKind, t.Subject)
	return step{ops: []op{
		is(key, revision, errStale),
		write("SET", key, encodeTemporary(t)),
		write("ZADD", s.indexKey(allTemporaries, t.Subject), "0", t.Subject.String()),
		s.publishTemporary(t.Subject),
	}}
}
