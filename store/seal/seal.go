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

// Store is a store whose secrets are sealed in the backend. It exports and
// imports open secrets.
//
// A listing returns a record without its secret if that does not open, so that
// the other records can be listed; the zero Secret cannot sign. GetToken
// returns the error instead. An export fails with an error that names the
// record, because a copy must not lose a secret silently.
type Store interface {
	store.Store

	// Check looks up the canary and opens it, to check that the ring still fits
	// the store. Use it in readiness checks. The errors are operational.
	Check(ctx context.Context) error

	// Reseal seals each secret again that is not sealed under the primary key
	// of the ring. It replaces only the secret that it read, so concurrent
	// writers lose nothing.
	//
	// Call it after all processes that write to the store have the new primary
	// key, or this release. A process with the old key may otherwise write
	// records that were already passed. To resume a failed call, start at the
	// Next that it returned.
	//
	// A call without an error has sealed all records. Old keys are then needed
	// only for backups, and secrets in clear or sealed by earlier releases no
	// longer open: remove AllowPlaintext and AllowOutdated. A second call that
	// writes nothing shows that no process wrote with an old key.
	//
	// At the end it scrubs the files of the backend. For a database server see
	// docs/stores.md.
	//
	// The errors are operational. An error about a record that does not open
	// names it; such a record can be deleted or imported again.
	Reseal(ctx context.Context, o ResealOptions) (ResealProgress, error)
}

// Options are exceptions for a store with existing secrets, until a complete
// [Store.Reseal]. The zero value allows none.
type Options struct {
	// AllowPlaintext makes secrets that are not sealed readable. Anyone who can
	// write to the database can then plant such secrets. Updates always seal
	// what they write.
	AllowPlaintext bool
	// AllowOutdated makes secrets readable that an earlier release sealed
	// without the digest of their record. Anyone who can write to the database
	// can then restore such secrets, and the canary, from an old backup.
	AllowOutdated bool
}

// New returns a store that seals the secrets of the backend with the keys of
// the ring. Closing it does not close the backend.
//
// It opens the canary, a reserved record that shows whether the ring fits the
// store. If there is no canary, it reads one page of records of each kind and
// creates a canary if they contain no secret or at least one that opens.
//
// Errors:
//   - badData {key "backend"} or {key "ring"}: the argument is nil
//   - [ErrUnknownKey] or [ErrCannotOpen]: the ring is not that of the store
//   - [ErrNotSealed]: the store has secrets in clear and
//     [Options].AllowPlaintext is not set
//   - [ErrOutdated]: the store has secrets of an earlier release and
//     [Options].AllowOutdated is not set
//   - other operational errors of the backend or the ring
func New(ctx context.Context, backend store.Store, ring KeyRing, o Options) (Store, error) {
	switch {
	case backend == nil:
		return nil, errors.BadDataHint("backend", "backend must not be nil")
	case ring == nil:
		return nil, errors.BadDataHint("ring", "ring must not be nil")
	}
	s := &sealed{passedOn: backend, backend: backend, ring: ring, options: o}
	if err := s.ensureCanary(ctx); err != nil {
		return nil, fmt.Errorf("open a sealed store: %w", err)
	}
	return s, nil
}

// passedOn are the methods of the backend that handle no secret. ListTokenIDs is
// one of them, so that a damaged record does not hide others.
type passedOn interface {
	store.Uses
	ListTokenIDs(ctx context.Context, q store.Query) ([]string, store.Cursor, error)
	CountTokens(ctx context.Context, subject caveat.Subject) (int64, error)
	DeleteToken(ctx context.Context, id string) error
	DeleteIdentity(ctx context.Context, subject caveat.Subject) error
	Scrub(ctx context.Context) error
}

// sealed implements Store. It does not embed the whole backend, so that the
// compiler reports new methods of package store, which may handle secrets.
type sealed struct {
	passedOn
	backend  store.Store
	ring     KeyRing
	options  Options
	complete atomic.Bool // all records are sealed in the current version, and nothing else opens
}

func (s *sealed) sealer() sealer {
	mixed := !s.complete.Load()
	return sealer{s.ring, s.options.AllowPlaintext && mixed, s.options.AllowOutdated && mixed}
}

// Close does nothing, because the caller owns the backend.
func (s *sealed) Close() error { return nil }

func (s *sealed) NamedKey(ctx context.Context, id string) (store.Key, error) {
	key, err := s.backend.NamedKey(ctx, id)
	return s.openKey(ctx, recordIDOfKey(id, key), key, err)
}

func (s *sealed) TemporaryKey(ctx context.Context, subject caveat.Subject) (store.Key, error) {
	subject = sealing.Below(subject)
	key, err := s.backend.TemporaryKey(ctx, subject)
	return s.openKey(ctx, recordIDOfTemporary(subject), key, err)
}

// openKey opens the key that the backend returned, unless err is its error.
func (s *sealed) openKey(ctx context.Context, at recordID, key store.Key, err error) (store.Key, error) {
	if err == nil {
		key.Secret, err = s.sealer().open(ctx, at, key.Secret)
	}
	if err != nil {
		return store.Key{}, err
	}
	return key, nil
}

// EnsureTemporaryKey looks the key up first, because it usually exists and then
// nothing has to be sealed. The backend rejects invalid arguments.
func (s *sealed) EnsureTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (store.Key, error) {
	if !secret.IsZero() {
		key, err := s.TemporaryKey(ctx, subject)
		if !errors.Is(err, errors.IDNotFound) {
			return key, err
		}
	}
	subject = sealing.Below(subject)
	secret, err := s.sealer().seal(ctx, recordIDOfTemporary(subject), secret)
	if err != nil {
		return store.Key{}, err
	}
	key, err := s.backend.EnsureTemporaryKey(ctx, subject, secret)
	return s.openKey(ctx, recordIDOfTemporary(subject), key, err)
}

func (s *sealed) RotateTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (int64, error) {
	subject = sealing.Below(subject)
	secret, err := s.sealer().seal(ctx, recordIDOfTemporary(subject), secret)
	if err != nil {
		return 0, err
	}
	return s.backend.RotateTemporaryKey(ctx, subject, secret)
}

func (s *sealed) DeleteTemporaryKey(ctx context.Context, subject caveat.Subject) error {
	return s.backend.DeleteTemporaryKey(ctx, sealing.Below(subject))
}

func (s *sealed) CreateToken(ctx context.Context, t store.Token, require store.Status) (store.Status, error) {
	t, err := transformed(ctx, t, secretOfToken, s.sealer().seal)
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
	return transformed(ctx, t, secretOfToken, opener.open)
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
		// A record whose secret does not open is listed without it.
		if *secret, err = opener.open(ctx, at, *secret); err != nil && !isRecordError(err) {
			return nil, store.Cursor{}, err
		}
	}
	return page, next, nil
}

func (s *sealed) UpdateToken(ctx context.Context, id string, change func(*store.Token) error) error {
	if change == nil {
		return s.backend.UpdateToken(ctx, id, nil)
	}
	return s.backend.UpdateToken(ctx, id, func(t *store.Token) error {
		return update(ctx, s.sealer(), t, secretOfToken, change)
	})
}

func (s *sealed) CreateIdentity(ctx context.Context, i store.Identity) error {
	i, err := transformed(ctx, i, secretOfIdentity, s.sealer().seal)
	if err != nil {
		return err
	}
	return s.backend.CreateIdentity(ctx, i)
}

func (s *sealed) GetIdentity(ctx context.Context, subject caveat.Subject) (store.Identity, error) {
	i, err := s.backend.GetIdentity(ctx, subject)
	return s.openIdentity(ctx, i, err)
}

func (s *sealed) GetIdentityByUsername(ctx context.Context, username string) (store.Identity, error) {
	i, err := s.backend.GetIdentityByUsername(ctx, username)
	return s.openIdentity(ctx, i, err)
}

func (s *sealed) openIdentity(ctx context.Context, i store.Identity, err error) (store.Identity, error) {
	if err != nil {
		return store.Identity{}, err
	}
	return transformed(ctx, i, secretOfIdentity, s.sealer().open)
}

func (s *sealed) UpdateIdentity(ctx context.Context, subject caveat.Subject, change func(*store.Identity) error) error {
	if change == nil {
		return s.backend.UpdateIdentity(ctx, subject, nil)
	}
	return s.backend.UpdateIdentity(ctx, subject, func(i *store.Identity) error {
		return update(ctx, s.sealer(), i, secretOfIdentity, change)
	})
}
