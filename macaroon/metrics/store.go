package metrics

import (
	"context"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// operation identifies a method of a store.
type operation uint8

const (
	namedKey operation = iota
	temporaryKey
	ensureTemporaryKey
	rotateTemporaryKey
	deleteTemporaryKey
	createToken
	getToken
	listTokens
	listTokenIDs
	countTokens
	updateToken
	deleteToken
	createIdentity
	getIdentity
	getIdentityByUsername
	updateIdentity
	deleteIdentity
	exportRecords
	importRecords
	replaceTemporarySecret
	recordUses
	lastUses
	operations // the number of operations
)

var operationNames = [operations]string{
	"NamedKey", "TemporaryKey", "EnsureTemporaryKey", "RotateTemporaryKey", "DeleteTemporaryKey",
	"CreateToken", "GetToken", "ListTokens", "ListTokenIDs", "CountTokens", "UpdateToken", "DeleteToken",
	"CreateIdentity", "GetIdentity", "GetIdentityByUsername", "UpdateIdentity", "DeleteIdentity",
	"Export", "Import", "ReplaceTemporarySecret", "RecordUses", "LastUses",
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

// done measures a call that began at start.
func (m *Metrics) done(op operation, start time.Time, err *error) {
	taken := m.now().Sub(start).Seconds()
	if *err == nil {
		m.succeeded[op].Observe(taken)
		return
	}
	m.latency.WithLabelValues(operationNames[op], outcome(*err)).Observe(taken)
}

// Close does nothing: the backend stays the caller's.
func (s *measured) Close() error { return nil }

func (s *measured) NamedKey(ctx context.Context, id string) (key store.Key, err error) {
	defer s.m.done(namedKey, s.m.now(), &err)
	return s.backend.NamedKey(ctx, id)
}

func (s *measured) TemporaryKey(ctx context.Context, subject caveat.Subject) (key store.Key, err error) {
	defer s.m.done(temporaryKey, s.m.now(), &err)
	return s.backend.TemporaryKey(ctx, subject)
}

func (s *measured) EnsureTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (key store.Key, err error) {
	defer s.m.done(ensureTemporaryKey, s.m.now(), &err)
	return s.backend.EnsureTemporaryKey(ctx, subject, secret)
}

func (s *measured) RotateTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (generation int64, err error) {
	defer s.m.done(rotateTemporaryKey, s.m.now(), &err)
	return s.backend.RotateTemporaryKey(ctx, subject, secret)
}

func (s *measured) DeleteTemporaryKey(ctx context.Context, subject caveat.Subject) (err error) {
	defer s.m.done(deleteTemporaryKey, s.m.now(), &err)
	return s.backend.DeleteTemporaryKey(ctx, subject)
}

// CreateToken is measured with the look at the holder.
func (s *measured) CreateToken(ctx context.Context, t store.Token, require store.Status) (holder store.Status, err error) {
	defer s.m.done(createToken, s.m.now(), &err)
	return s.backend.CreateToken(ctx, t, require)
}

func (s *measured) GetToken(ctx context.Context, id string) (t store.Token, err error) {
	defer s.m.done(getToken, s.m.now(), &err)
	return s.backend.GetToken(ctx, id)
}

func (s *measured) ListTokens(ctx context.Context, q store.Query) (page []store.Token, next store.Cursor, err error) {
	defer s.m.done(listTokens, s.m.now(), &err)
	return s.backend.ListTokens(ctx, q)
}

func (s *measured) ListTokenIDs(ctx context.Context, q store.Query) (page []string, next store.Cursor, err error) {
	defer s.m.done(listTokenIDs, s.m.now(), &err)
	return s.backend.ListTokenIDs(ctx, q)
}

func (s *measured) CountTokens(ctx context.Context, subject caveat.Subject) (count int64, err error) {
	defer s.m.done(countTokens, s.m.now(), &err)
	return s.backend.CountTokens(ctx, subject)
}

func (s *measured) UpdateToken(ctx context.Context, id string, change func(*store.Token) error) (err error) {
	defer s.m.done(updateToken, s.m.now(), &err)
	return s.backend.UpdateToken(ctx, id, change)
}

func (s *measured) DeleteToken(ctx context.Context, id string) (err error) {
	defer s.m.done(deleteToken, s.m.now(), &err)
	return s.backend.DeleteToken(ctx, id)
}

func (s *measured) CreateIdentity(ctx context.Context, i store.Identity) (err error) {
	defer s.m.done(createIdentity, s.m.now(), &err)
	return s.backend.CreateIdentity(ctx, i)
}

func (s *measured) GetIdentity(ctx context.Context, subject caveat.Subject) (i store.Identity, err error) {
	defer s.m.done(getIdentity, s.m.now(), &err)
	return s.backend.GetIdentity(ctx, subject)
}

func (s *measured) GetIdentityByUsername(ctx context.Context, username string) (i store.Identity, err error) {
	defer s.m.done(getIdentityByUsername, s.m.now(), &err)
	return s.backend.GetIdentityByUsername(ctx, username)
}

func (s *measured) UpdateIdentity(ctx context.Context, subject caveat.Subject, change func(*store.Identity) error) (err error) {
	defer s.m.done(updateIdentity, s.m.now(), &err)
	return s.backend.UpdateIdentity(ctx, subject, change)
}

func (s *measured) DeleteIdentity(ctx context.Context, subject caveat.Subject) (err error) {
	defer s.m.done(deleteIdentity, s.m.now(), &err)
	return s.backend.DeleteIdentity(ctx, subject)
}

func (s *measured) Export(ctx context.Context, kind store.RecordKind, after string, limit int) (records []store.Record, next string, err error) {
	defer s.m.done(exportRecords, s.m.now(), &err)
	return s.backend.Export(ctx, kind, after, limit)
}

func (s *measured) Import(ctx context.Context, records []store.Record) (err error) {
	defer s.m.done(importRecords, s.m.now(), &err)
	return s.backend.Import(ctx, records)
}

func (s *measured) ReplaceTemporarySecret(ctx context.Context, subject caveat.Subject, old, secret store.Secret) (replaced bool, err error) {
	defer s.m.done(replaceTemporarySecret, s.m.now(), &err)
	return s.backend.ReplaceTemporarySecret(ctx, subject, old, secret)
}

func (s *measured) RecordUses(ctx context.Context, uses []store.Use) (err error) {
	defer s.m.done(recordUses, s.m.now(), &err)
	return s.backend.RecordUses(ctx, uses)
}

func (s *measured) LastUses(ctx context.Context, ids []string) (uses []store.Use, err error) {
	defer s.m.done(lastUses, s.m.now(), &err)
	return s.backend.LastUses(ctx, ids)
}

// Scrub is not measured: it takes as long as the store is large.
func (s *measured) Scrub(ctx context.Context) error { return s.backend.Scrub(ctx) }

// Watch is not measured: it takes as long as it is asked to.
func (s *measured) Watch(ctx context.Context, observe func(store.Change)) error {
	return s.backend.Watch(ctx, observe)
}
