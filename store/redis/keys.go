package redis

import (
	"context"
	"math"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// NamedKey implements [store.Keys] with one round trip, or two in a Cluster.
func (s driver) NamedKey(ctx context.Context, id string) (key store.Key, err error) {
	err = s.locate(ctx, id, func(of caveat.Subject, token, identity string) (bool, error) {
		if key, err = decodeKey(token); err != nil {
			return false, err
		}
		key.Holder, err = decodeStatus(identity)
		return key.Subject == of, err
	})
	return key, err
}

// TemporaryKey implements [store.Keys] with one round trip.
func (s driver) TemporaryKey(ctx context.Context, subject caveat.Subject) (store.Key, error) {
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
	return store.Key{Secret: t.Secret, Subject: subject, Generation: t.Generation, Holder: status}, err
}

func (s driver) EnsureTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (key store.Key, err error) {
	err = s.retryStale(ctx, func() error {
		key, err = s.TemporaryKey(ctx, subject)
		if errors.Is(err, errors.IDNotFound) {
			t := store.Temporary{Subject: subject, Secret: secret, Generation: 1}
			if _, err = s.commit(ctx, s.putTemporary(t, "")); err == nil {
				key, err = s.TemporaryKey(ctx, subject)
			}
		}
		return err
	})
	return key, err
}

func (s driver) RotateTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (generation int64, err error) {
	err = s.changeTemporary(ctx, subject, func(t store.Temporary) (store.Temporary, bool, error) {
		if t.Generation == math.MaxInt64 {
			return t, false, errors.New("the generation has reached its maximum")
		}
		generation = t.Generation + 1
		return store.Temporary{Subject: subject, Secret: secret, Generation: generation}, true, nil
	})
	return generation, err
}

func (s driver) ReplaceTemporarySecret(ctx context.Context, subject caveat.Subject, old, secret store.Secret) (replaced bool, err error) {
	err = s.changeTemporary(ctx, subject, func(t store.Temporary) (store.Temporary, bool, error) {
		replaced = t.Generation > 0 && t.Secret.Equal(old)
		return store.Temporary{Subject: subject, Secret: secret, Generation: t.Generation}, replaced, nil
	})
	return replaced, err
}

// changeTemporary writes the result of change for the subject's record, which
// is zero if missing, if ok is true. change may be called more than once.
func (s *Store) changeTemporary(
	ctx context.Context, subject caveat.Subject, change func(store.Temporary) (changed store.Temporary, ok bool, err error),
) error {
	return s.retryStale(ctx, func() error {
		value, err := s.get(ctx, s.subjectKey(temporaryKind, subject))
		var old store.Temporary
		if err == nil && value != "" {
			old, err = decodeTemporary(subject, value)
		}
		if err != nil {
			return err
		}
		changed, ok, err := change(old)
		if ok && err == nil {
			_, err = s.commit(ctx, s.putTemporary(changed, revision(value)))
		}
		return err
	})
}

func (s driver) DeleteTemporaryKey(ctx context.Context, subject caveat.Subject) error {
	_, err := s.commit(ctx, step{ops: []op{
		write("DEL", s.subjectKey(temporaryKind, subject)),
		write("ZREM", s.indexKey(allTemporaries, subject), subject.String()),
		s.publishTemporary(subject),
	}})
	return err
}

// putTemporary replaces the record with the revision.
func (s *Store) putTemporary(t store.Temporary, revision string) step {
	key := s.subjectKey(temporaryKind, t.Subject)
	return step{ops: []op{
		hasRevision(key, revision, errStale),
		write("SET", key, encodeTemporary(t)),
		write("ZADD", s.indexKey(allTemporaries, t.Subject), "0", t.Subject.String()),
		s.publishTemporary(t.Subject),
	}}
}
