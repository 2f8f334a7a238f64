package seal

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/sealing"
)

// Store is a store whose secrets are sealed in the backend. It exports and imports
// open secrets; the backend has them sealed.
//
// A listing gives a record whose secret does not open without its secret, so
// that the other records can be listed; the zero Secret makes no token. GetToken
// tells why it does not open. An export fails instead, and names the record: a
// copy must not lose one in silence.
type Store interface {
	store.Store

	// Check reports whether the store still is the one that [New] found, sealed
	// by the ring: it looks up the canary and opens it. It is for telling whether
	// a process is ready. The errors are operational.
	Check(ctx context.Context) error

	// Reseal walks through the backend and seals anew each secret that is not
	// sealed under the primary key of the ring. It writes a secret only in place
	// of the very one that it read, so that writers go on meanwhile and lose
	// nothing.
	//
	// It is for the time after a new key became primary, or this release was
	// installed, on every process that writes to the store: what a process with
	// the old primary writes behind the position is missed. A call that failed
	// goes on from the Next that it returned. One that ends without an error has
	// sealed all records there were: the other keys are needed for backups alone,
	// and what earlier releases sealed, or nobody, does not open any more. Remove
	// AllowPlaintext and AllowOutdated then. A call
	// that finds nothing to write shows that no process wrote behind its back.
	//
	// At its end it has the backend scrub its files. Where those are a server's,
	// what was overwritten needs the steps of the package doc.
	//
	// The errors are operational, and name the record if it is one that does not
	// open. Such a record can be deleted or imported anew.
	Reseal(ctx context.Context, o ResealOptions) (ResealProgress, error)
}

// Options are the exceptions that a store which was in use before needs, until a
// complete [Store.Reseal]. The zero value allows none.
type Options struct {
	// AllowPlaintext makes secrets that are not sealed readable. Anyone who can
	// write to the database can then plant such secrets. Updates seal what they
	// write in any case.
	AllowPlaintext bool
	// AllowOutdated makes secrets readable that an earlier release sealed,
	// without the digest of their record. Anyone who can write to the database
	// can then restore such secrets, and the canary, from an old backup.
	AllowOutdated bool
}

// New returns a store that keeps its records in the backend, their secrets
// sealed with the keys of the ring. Closing it does not close the backend.
//
// It opens the canary, a reserved record of the backend that shows whether the
// ring is the right one. In a store without canary it leaves one, after a look at
// one page of records of each kind; of those at least one has to open.
//
// Errors: badData {key "backend"} or {key "ring"} where that is nil; else
// operational errors, such as [ErrUnknownKey] and [ErrCannotOpen] for another
// ring, [ErrNotSealed] for a store that was in use before and is opened without
// [Options].AllowPlaintext, and [ErrOutdated] for one of an earlier release that is opened
// without [Options].AllowOutdated.
func New(ctx context.Context, backend store.Store, ring KeyRing, o Options) (Store, error) {
	switch {
	case backend == nil:
		return nil, errors.BadDataHint("backend", "a sealed store needs a backend")
	case ring == nil:
		return nil, errors.BadDataHint("ring", "a sealed store needs a ring of keys")
	}
	s := &sealed{backend: backend, ring: ring, options: o}
	if err := s.begin(ctx); err != nil {
		return nil, fmt.Errorf("open a sealed store: %w", err)
	}
	return s, nil
}

// sealed is a Store. The backend is not embedded, so that no method which
// package store will get is passed on without a thought about secrets.
type sealed struct {
	backend  store.Store
	ring     KeyRing
	options  Options
	complete atomic.Bool // all records are sealed in version 2: nothing else opens
}

func (s *sealed) sealer() sealer {
	mixed := !s.complete.Load()
	return sealer{s.ring, s.options.AllowPlaintext && mixed, s.options.AllowOutdated && mixed}
}

// Close does nothing: the backend stays the caller's.
func (s *sealed) Close() error { return nil }

func (s *sealed) NamedKey(ctx context.Context, id string) (store.Key, error) {
	key, err := s.backend.NamedKey(ctx, id)
	if err != nil {
		return store.Key{}, err
	}
	return s.openKey(ctx, placeOfKey(id, key.Subject), key)
}

func (s *sealed) TemporaryKey(ctx context.Context, subject caveat.Subject) (store.Key, error) {
	subject = sealing.Below(subject)
	key, err := s.backend.TemporaryKey(ctx, subject)
	if err != nil {
		return store.Key{}, err
	}
	return s.openKey(ctx, placeOfTemporary(subject), key)
}

func (s *sealed) openKey(ctx context.Context, at place, key store.Key) (store.Key, error) {
	var err error
	if key.Secret, err = s.sealer().open(ctx, at, key.Secret); err != nil {
		return store.Key{}, err
	}
	return key, nil
}

// EnsureTemporaryKey looks first, since most often there is a key, and then
// nothing has to be sealed. What is not valid the backend refuses.
func (s *sealed) EnsureTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (store.Key, error) {
	if !secret.IsZero() {
		key, err := s.TemporaryKey(ctx, subject)
		if !errors.Is(err, errors.IDNotFound) {
			return key, err
		}
	}
	subject = sealing.Below(subject)
	secret, err := s.sealer().seal(ctx, placeOfTemporary(subject), secret)
	if err != nil {
		return store.Key{}, err
	}
	key, err := s.backend.EnsureTemporaryKey(ctx, subject, secret)
	if err != nil {
		return store.Key{}, err
	}
	return s.openKey(ctx, placeOfTemporary(subject), key)
}

func (s *sealed) RotateTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (int64, error) {
	subject = sealing.Below(subject)
	secret, err := s.sealer().seal(ctx, placeOfTemporary(subject), secret)
	if err != nil {
		return 0, err
	}
	return s.backend.RotateTemporaryKey(ctx, subject, secret)
}

func (s *sealed) DeleteTemporaryKey(ctx context.Context, subject caveat.Subject) error {
	return s.backend.DeleteTemporaryKey(ctx, sealing.Below(subject))
}

func (s *sealed) CreateToken(ctx context.Context, t store.Token, require store.Status) (store.Status, error) {
	t, err := turned(ctx, t, secretOfToken, s.sealer().seal)
	if err != nil {
		return 0, err
	}
	return s.backend.CreateToken(ctx, t, require)
}

func (s *sealed) GetToken(ctx context.Context, id string) (store.Token, error) {
	t, err := s.backend.GetToken(ctx, id)
	if err != nil {
		return store.Token{}, err
	}
	opener, err := s.opener(ctx, slices.Values([]store.Secret{t.Secret}))
	if err != nil {
		return store.Token{}, err
	}
	return turned(ctx, t, secretOfToken, opener.open)
}

func (s *sealed) ListTokens(ctx context.Context, q store.Query) ([]store.Token, store.Cursor, error) {
	page, next, err := s.backend.ListTokens(ctx, q)
	if err != nil {
		return nil, store.Cursor{}, err
	}
	opener, err := s.opener(ctx, func(yield func(store.Secret) bool) {
		for i := range page {
			if !yield(page[i].Secret) {
				return
			}
		}
	})
	if err != nil {
		return nil, store.Cursor{}, err
	}
	for i := range page {
		at, secret := secretOfToken(&page[i])
		// Where it does not open the record is listed without.
		if *secret, err = opener.open(ctx, at, *secret); err != nil && !isOfRecord(err) {
			return nil, store.Cursor{}, err
		}
	}
	return page, next, nil
}

// ListTokenIDs opens nothing, so that one damaged record does not hide the others.
func (s *sealed) ListTokenIDs(ctx context.Context, q store.Query) ([]string, store.Cursor, error) {
	return s.backend.ListTokenIDs(ctx, q)
}

func (s *sealed) CountTokens(ctx context.Context, subject caveat.Subject) (int64, error) {
	return s.backend.CountTokens(ctx, subject)
}

func (s *sealed) UpdateToken(ctx context.Context, id string, change func(*store.Token) error) error {
	if change == nil {
		return s.backend.UpdateToken(ctx, id, nil)
	}
	return s.backend.UpdateToken(ctx, id, func(t *store.Token) error {
		return update(ctx, s.sealer(), t, secretOfToken, change)
	})
}

func (s *sealed) DeleteToken(ctx context.Context, id string) error {
	return s.backend.DeleteToken(ctx, id)
}

func (s *sealed) CreateIdentity(ctx context.Context, i store.Identity) error {
	i, err := turned(ctx, i, secretOfIdentity, s.sealer().seal)
	if err != nil {
		return err
	}
	return s.backend.CreateIdentity(ctx, i)
}

func (s *sealed) GetIdentity(ctx context.Context, subject caveat.Subject) (store.Identity, error) {
	i, err := s.backend.GetIdentity(ctx, subject)
	if err != nil {
		return store.Identity{}, err
	}
	return turned(ctx, i, secretOfIdentity, s.sealer().open)
}

func (s *sealed) GetIdentityByUsername(ctx context.Context, username string) (store.Identity, error) {
	i, err := s.backend.GetIdentityByUsername(ctx, username)
	if err != nil {
		return store.Identity{}, err
	}
	return turned(ctx, i, secretOfIdentity, s.sealer().open)
}

func (s *sealed) UpdateIdentity(ctx context.Context, subject caveat.Subject, change func(*store.Identity) error) error {
	if change == nil {
		return s.backend.UpdateIdentity(ctx, subject, nil)
	}
	return s.backend.UpdateIdentity(ctx, subject, func(i *store.Identity) error {
		return update(ctx, s.sealer(), i, secretOfIdentity, change)
	})
}

func (s *sealed) DeleteIdentity(ctx context.Context, subject caveat.Subject) error {
	return s.backend.DeleteIdentity(ctx, subject)
}
