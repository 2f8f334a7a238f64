package metrics

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// unmeasured are the methods of a store that take as long as the store is large
// or as they are asked to, and Close, which does nothing.
var unmeasured = []string{"Close", "Scrub", "Watch"}

// measuredMethods returns the names of the other methods.
func measuredMethods() (names []string) {
	for method := range reflect.TypeFor[store.Store]().Methods() {
		if !slices.Contains(unmeasured, method.Name) {
			names = append(names, method.Name)
		}
	}
	return names
}

// Store returns a store that measures the calls of the backend. The caller
// remains responsible for closing the backend. The time of an update includes
// that of its change function. Wrappers in front of the measured store, such as
// store/cache and store/seal, are not measured. The error is badData {key
// "backend"} if the backend is nil.
func (m *Metrics) Store(backend store.Store) (store.Store, error) {
	if backend == nil {
		return nil, errors.BadDataHint("backend", "the backend of a measured store must not be nil")
	}
	return &measured{backend, m}, nil
}

// measured is a store that measures its calls. It does not embed the backend,
// so that a new method of store.Store cannot remain unmeasured.
type measured struct {
	backend store.Store
	m       *Metrics
}

// done measures a call of the method that began at start.
func (m *Metrics) done(method string, start time.Time, err *error) {
	taken := m.now().Sub(start).Seconds()
	if *err == nil {
		m.succeeded[method].Observe(taken)
		return
	}
	m.latency.WithLabelValues(method, outcome(*err)).Observe(taken)
}

func (s *measured) Close() error { return nil }

func (s *measured) NamedKey(ctx context.Context, id string) (key store.Key, err error) {
	defer s.m.done("NamedKey", s.m.now(), &err)
	return s.backend.NamedKey(ctx, id)
}

func (s *measured) TemporaryKey(ctx context.Context, subject caveat.Subject) (key store.Key, err error) {
	defer s.m.done("TemporaryKey", s.m.now(), &err)
	return s.backend.TemporaryKey(ctx, subject)
}

func (s *measured) EnsureTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (key store.Key, err error) {
	defer s.m.done("EnsureTemporaryKey", s.m.now(), &err)
	return s.backend.EnsureTemporaryKey(ctx, subject, secret)
}

func (s *measured) RotateTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (generation int64, err error) {
	defer s.m.done("RotateTemporaryKey", s.m.now(), &err)
	return s.backend.RotateTemporaryKey(ctx, subject, secret)
}

func (s *measured) DeleteTemporaryKey(ctx context.Context, subject caveat.Subject) (err error) {
	defer s.m.done("DeleteTemporaryKey", s.m.now(), &err)
	return s.backend.DeleteTemporaryKey(ctx, subject)
}

// CreateToken is measured with the look at the holder.
func (s *measured) CreateToken(ctx context.Context, t store.Token, require store.Status) (holder store.Status, err error) {
	defer s.m.done("CreateToken", s.m.now(), &err)
	return s.backend.CreateToken(ctx, t, require)
}

func (s *measured) GetToken(ctx context.Context, id string) (t store.Token, err error) {
	defer s.m.done("GetToken", s.m.now(), &err)
	return s.backend.GetToken(ctx, id)
}

func (s *measured) ListTokens(ctx context.Context, q store.Query) (page []store.Token, next store.Cursor, err error) {
	defer s.m.done("ListTokens", s.m.now(), &err)
	return s.backend.ListTokens(ctx, q)
}

func (s *measured) ListTokenIDs(ctx context.Context, q store.Query) (page []string, next store.Cursor, err error) {
	defer s.m.done("ListTokenIDs", s.m.now(), &err)
	return s.backend.ListTokenIDs(ctx, q)
}

func (s *measured) CountTokens(ctx context.Context, subject caveat.Subject) (count int64, err error) {
	defer s.m.done("CountTokens", s.m.now(), &err)
	return s.backend.CountTokens(ctx, subject)
}

func (s *measured) UpdateToken(ctx context.Context, id string, change func(*store.Token) error) (err error) {
	defer s.m.done("UpdateToken", s.m.now(), &err)
	return s.backend.UpdateToken(ctx, id, change)
}

func (s *measured) DeleteToken(ctx context.Context, id string) (err error) {
	defer s.m.done("DeleteToken", s.m.now(), &err)
	return s.backend.DeleteToken(ctx, id)
}

func (s *measured) CreateIdentity(ctx context.Context, i store.Identity) (err error) {
	defer s.m.done("CreateIdentity", s.m.now(), &err)
	return s.backend.CreateIdentity(ctx, i)
}

func (s *measured) GetIdentity(ctx context.Context, subject caveat.Subject) (i store.Identity, err error) {
	defer s.m.done("GetIdentity", s.m.now(), &err)
	return s.backend.GetIdentity(ctx, subject)
}

func (s *measured) GetIdentityByUsername(ctx context.Context, username string) (i store.Identity, err error) {
	defer s.m.done("GetIdentityByUsername", s.m.now(), &err)
	return s.backend.GetIdentityByUsername(ctx, username)
}

func (s *measured) UpdateIdentity(ctx context.Context, subject caveat.Subject, change func(*store.Identity) error) (err error) {
	defer s.m.done("UpdateIdentity", s.m.now(), &err)
	return s.backend.UpdateIdentity(ctx, subject, change)
}

func (s *measured) DeleteIdentity(ctx context.Context, subject caveat.Subject) (err error) {
	defer s.m.done("DeleteIdentity", s.m.now(), &err)
	return s.backend.DeleteIdentity(ctx, subject)
}

func (s *measured) Export(ctx context.Context, kind store.RecordKind, after string, limit int) (records []store.Record, next string, err error) {
	defer s.m.done("Export", s.m.now(), &err)
	return s.backend.Export(ctx, kind, after, limit)
}

func (s *measured) Import(ctx context.Context, records []store.Record) (err error) {
	defer s.m.done("Import", s.m.now(), &err)
	return s.backend.Import(ctx, records)
}

func (s *measured) ReplaceTemporarySecret(ctx context.Context, subject caveat.Subject, old, secret store.Secret) (replaced bool, err error) {
	defer s.m.done("ReplaceTemporarySecret", s.m.now(), &err)
	return s.backend.ReplaceTemporarySecret(ctx, subject, old, secret)
}

func (s *measured) RecordUses(ctx context.Context, uses []store.Use) (err error) {
	defer s.m.done("RecordUses", s.m.now(), &err)
	return s.backend.RecordUses(ctx, uses)
}

func (s *measured) LastUses(ctx context.Context, ids []string) (uses []store.Use, err error) {
	defer s.m.done("LastUses", s.m.now(), &err)
	return s.backend.LastUses(ctx, ids)
}

func (s *measured) Scrub(ctx context.Context) error { return s.backend.Scrub(ctx) }

func (s *measured) Watch(ctx context.Context, observe func(store.Change)) error {
	return s.backend.Watch(ctx, observe)
}
