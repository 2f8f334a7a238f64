package redis

import (
	"context"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// CreateToken implements [store.Tokens]. If an active holder is required, it
// reads the identity before it claims the id. The script that writes the record
// checks that the identity is unchanged.
func (s driver) CreateToken(ctx context.Context, t store.Token, require store.Status) (holder store.Status, err error) {
	if require == 0 {
		done, err := s.createInOneScript(ctx, t, "")
		if err == nil && !done {
			err = s.create(ctx, t, "")
		}
		return 0, err
	}
	err = s.retryStale(ctx, func() error {
		if done, err := s.createInOneScript(ctx, t, activePrefix); done || err != nil {
			holder = store.HolderActive
			return err
		}
		identity, err := s.get(ctx, s.subjectKey(identityKind, t.Subject))
		if err == nil {
			holder, err = decodeStatus(identity)
		}
		if err == nil && holder == require {
			err = s.create(ctx, t, revision(identity))
		}
		return err
	})
	return holder, err
}

// create writes the record if the identity of its subject has the revision, ""
// for any or none. errStale: it has another revision.
func (s *Store) create(ctx context.Context, t store.Token, identity string) error {
	var ops []op
	if identity != "" {
		ops = append(ops, hasRevision(s.subjectKey(identityKind, t.Subject), identity, errStale))
	}
	ops = append(ops, s.nameFree(t), isAbsent(s.tokenKey(t.Subject, t.ID), errors.AlreadyExists()))
	ops = append(ops, s.putToken(t)...)
	return s.claim(ctx, s.tokenClaim(t), step{ops: append(ops, s.index(t)...)})
}

// createInOneScript writes the record and its pointer on a single server. It
// writes nothing and returns false if the pointer exists, whatever it leads to,
// or if the identity of the subject does not have the prefix after its
// revision. "" allows any identity or none.
func (s *Store) createInOneScript(ctx context.Context, t store.Token, head string) (done bool, err error) {
	if s.isCluster() {
		return false, nil
	}
	key, member := s.tokenKey(t.Subject, t.ID), listMember(t.Created, t.ID)
	keys := []string{
		s.pointerKey(tokenPointer, t.ID), s.subjectKey(namesKind, t.Subject), key,
		s.subjectKey(listKind, t.Subject), s.indexKey(allTokens, t.Subject), s.indexKey(changesOfShards, t.Subject),
		s.subjectKey(identityKind, t.Subject),
	}
	if t.Parent != "" {
		keys = append(keys, s.mintedKey(t))
	}
	reason, err := s.execute(ctx, createScript, keys,
		[]string{encodePointer(t.Subject), t.Name, t.ID, encodeToken(t), member, backend.TokenLetter + t.ID, head},
	)
	if reason == 2 {
		err = errors.BadValueIdentifierOccupied("name")
	}
	return err == nil && reason == 0, err
}

// tokenClaim returns the claim of the token's id.
func (s *Store) tokenClaim(t store.Token) claim {
	return claim{
		key:     s.pointerKey(tokenPointer, t.ID),
		subject: t.Subject,
		taken:   errors.AlreadyExists(),
		clear:   s.dropUse(t.ID),
		holder: func(ctx context.Context, subject caveat.Subject) (key, value string, leads bool, err error) {
			key = s.tokenKey(subject, t.ID)
			value, err = s.get(ctx, key)
			return key, value, value != "", err
		},
	}
}

func (s *Store) nameFree(t store.Token) op {
	return hasField(s.subjectKey(namesKind, t.Subject), t.Name, "", errors.BadValueIdentifierOccupied("name"))
}

// putToken writes the record and publishes the change.
func (s *Store) putToken(t store.Token) []op {
	return []op{write("SET", s.tokenKey(t.Subject, t.ID), encodeToken(t)), s.publishToken(t)}
}

// index adds the token to the indexes, and unindex removes it.
func (s *Store) index(t store.Token) []op {
	name := write("HSET", s.subjectKey(namesKind, t.Subject), t.Name, t.ID)
	return append(s.inLists(t, "ZADD", "0", listMember(t.Created, t.ID)), name)
}

func (s *Store) unindex(t store.Token) []op {
	name := write("HDEL", s.subjectKey(namesKind, t.Subject), t.Name)
	return append(s.inLists(t, "ZREM", listMember(t.Created, t.ID)), name)
}

// inLists returns the command for each of the sorted sets that contain the
// token.
func (s *Store) inLists(t store.Token, command string, args ...string) []op {
	ops := []op{
		write(command, s.subjectKey(listKind, t.Subject), args...),
		write(command, s.indexKey(allTokens, t.Subject), args...),
	}
	if t.Parent != "" {
		ops = append(ops, write(command, s.mintedKey(t), args...))
	}
	return ops
}

// mintedKey returns the key of the tokens with the parent of t, in the shard of
// its subject.
func (s *Store) mintedKey(t store.Token) string {
	return s.key(mintedKind, tagOf(t.Subject.String()), t.Parent)
}

func (s driver) GetToken(ctx context.Context, id string) (store.Token, error) {
	t, _, err := s.token(ctx, id)
	return t, err
}

// token returns the record and its revision.
func (s *Store) token(ctx context.Context, id string) (t store.Token, rev string, err error) {
	err = s.locate(ctx, id, func(of caveat.Subject, token, _ string) (bool, error) {
		t, err = decodeToken(id, token)
		rev = revision(token)
		return t.Subject == of, err
	})
	return t, rev, err
}

// UpdateToken implements [store.Tokens]. If the record changed concurrently, it
// calls change again after a short random pause.
func (s driver) UpdateToken(ctx context.Context, id string, change func(*store.Token) error) error {
	return s.retryStale(ctx, func() error {
		old, rev, err := s.token(ctx, id)
		if err != nil {
			return err
		}
		updated, err := store.UpdateToken(old, change)
		if err != nil {
			return err
		}
		_, err = s.commit(ctx, s.replaceToken(old, rev, updated))
		return err
	})
}

func (s *Store) replaceToken(old store.Token, rev string, updated store.Token) step {
	ops := []op{hasRevision(s.tokenKey(old.Subject, old.ID), rev, errStale)}
	if updated.Name != old.Name {
		names := s.subjectKey(namesKind, old.Subject)
		ops = append(ops, s.nameFree(updated),
			write("HDEL", names, old.Name), write("HSET", names, updated.Name, updated.ID))
	}
	return step{ops: append(ops, s.putToken(updated)...)}
}

func (s driver) DeleteToken(ctx context.Context, id string) error {
	return s.retryStale(ctx, func() error {
		pointerKey := s.pointerKey(tokenPointer, id)
		p, err := s.pointer(ctx, pointerKey)
		if err != nil {
			return err
		}
		t, rev, err := s.token(ctx, id)
		if err != nil {
			return err
		}
		record := step{ops: append(s.dropToken(t, rev), s.unindex(t)...)}
		_, err = s.commit(ctx, record, step{ops: append(release(pointerKey, p.revision), s.dropUse(id)...), cleanup: true})
		return err
	})
}

// dropToken deletes the record with the revision and publishes the change.
func (s *Store) dropToken(t store.Token, rev string) []op {
	key := s.tokenKey(t.Subject, t.ID)
	return []op{hasRevision(key, rev, errStale), write("DEL", key), s.publishToken(t)}
}
