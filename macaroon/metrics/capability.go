package metrics

import (
	"context"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
)

// withCapabilities gives the store those optional capabilities that the backend
// has: an interface that is embedded and not there would promise too much.
func withCapabilities(s *measured, backend store.Store) store.Store {
	archive, isArchive := backend.(store.Archive)
	w, isWatcher := backend.(store.Watcher)
	replacer, isReplacer := backend.(store.TemporaryReplacer)
	a, r := measuredArchive{archive, s.m}, measuredReplacer{replacer, s.m}
	switch {
	case isArchive && isWatcher && isReplacer:
		return struct {
			*measured
			measuredArchive
			store.Watcher
			measuredReplacer
		}{s, a, w, r}
	case isArchive && isWatcher:
		return struct {
			*measured
			measuredArchive
			store.Watcher
		}{s, a, w}
	case isArchive && isReplacer:
		return struct {
			*measured
			measuredArchive
			measuredReplacer
		}{s, a, r}
	case isWatcher && isReplacer:
		return struct {
			*measured
			store.Watcher
			measuredReplacer
		}{s, w, r}
	case isArchive:
		return struct {
			*measured
			measuredArchive
		}{s, a}
	case isWatcher:
		return struct {
			*measured
			store.Watcher
		}{s, w}
	case isReplacer:
		return struct {
			*measured
			measuredReplacer
		}{s, r}
	}
	return s
}

// Scrub implements [store.Scrubber], and does nothing where the backend is none.
func (s *measured) Scrub(ctx context.Context) error {
	if scrubber, ok := s.backend.(store.Scrubber); ok {
		return scrubber.Scrub(ctx)
	}
	return nil
}

// measuredArchive is the archive of a backend that has one.
type measuredArchive struct {
	archive store.Archive
	metrics *Metrics
}

func (a measuredArchive) Export(ctx context.Context, kind store.RecordKind, after string, limit int) (records []store.Record, next string, err error) {
	defer a.metrics.done(exportRecords, a.metrics.now(), &err)
	return a.archive.Export(ctx, kind, after, limit)
}

func (a measuredArchive) Import(ctx context.Context, records []store.Record) (err error) {
	defer a.metrics.done(importRecords, a.metrics.now(), &err)
	return a.archive.Import(ctx, records)
}

// measuredReplacer is the replacer of a backend that has one.
type measuredReplacer struct {
	replacer store.TemporaryReplacer
	metrics  *Metrics
}

func (r measuredReplacer) ReplaceTemporarySecret(ctx context.Context, subject caveat.Subject, old, secret store.Secret) (replaced bool, err error) {
	defer r.metrics.done(replaceTemporarySecret, r.metrics.now(), &err)
	return r.replacer.ReplaceTemporarySecret(ctx, subject, old, secret)
}
