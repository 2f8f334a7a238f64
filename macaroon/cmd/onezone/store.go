package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/onezone-go/onezone/macaroon/metrics"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/cache"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/postgres"
	"github.com/onezone-go/onezone/store/redis"
	"github.com/onezone-go/onezone/store/seal"
	"github.com/onezone-go/onezone/store/sqlite"
)

// openedStore is the store of the settings with its wrappers.
type openedStore struct {
	front store.Store // what the program uses
	back  store.Store // where the records are
	// check reports whether the store answers and its secrets can be read.
	check func(context.Context) error
	keys  *keyRing // nil without seal keys
	clock clocked  // nil for stores on this machine
	closers
}

// openStore opens the store of the settings and wraps it. The wrappers are,
// from the inside: latencies, encryption, cache. The cache is outside the
// encryption so that a verification need not decrypt a secret. m may be nil.
// Errors name the flag to change.
func openStore(ctx context.Context, s settings, m *metrics.Metrics, log *slog.Logger) (*openedStore, error) {
	b, cached, err := openBackend(ctx, s, log)
	if err != nil {
		return nil, fmt.Errorf("--store %s: %w", storeName(s.store), err)
	}
	opened := &openedStore{back: b, closers: closers{b}}
	opened.clock, _ = b.(clocked)
	if err := opened.wrap(ctx, cached, s, m); err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	return opened, nil
}

// openBackend opens the database and, unless the settings say otherwise, creates
// its tables. cached reports whether a cache in front of it is useful.
func openBackend(ctx context.Context, s settings, log *slog.Logger) (b store.Store, cached bool, err error) {
	scheme, path, _ := strings.Cut(s.store, ":")
	switch scheme {
	case "memory":
		return memory.New(), false, nil
	case "sqlite":
		b, err = openSQLite(ctx, path, s)
	case "postgres", "postgresql":
		b, err = openPostgres(ctx, s, log)
	case "redis", "rediss":
		b, err = openRedis(ctx, s)
	default:
		return nil, false, checkStore(s.store)
	}
	return b, s.cache, err
}

func isPostgres(url string) bool {
	return strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://")
}

func openSQLite(ctx context.Context, path string, o settings) (store.Store, error) {
	if _, err := os.Stat(path); err != nil && (o.keepTables || o.mustExist) {
		return nil, fmt.Errorf("%w; onezone serve, user add and store migrate create a store", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("creating the data directory: %w", err)
	}
	s, err := sqlite.Open(ctx, path, o.database.sqlite())
	if err != nil {
		return nil, err
	}
	return migrated(ctx, s, o.keepTables)
}

func openPostgres(ctx context.Context, o settings, log *slog.Logger) (store.Store, error) {
	options := postgres.Options{
		Schema: o.database.postgresSchema, NoFeed: !o.database.postgresFeed, FeedURL: o.feedURL, Logger: log,
		CallTimeout: o.storeTimeout,
	}
	if o.primaryStore == "" {
		return openOnePostgres(ctx, o.store, options, o.keepTables)
	}
	primary, err := openOnePostgres(ctx, o.primaryStore, postgres.Options{
		Schema: options.Schema, NoFeed: options.NoFeed, CallTimeout: o.storeTimeout,
	}, o.keepTables)
	if err != nil {
		return nil, fmt.Errorf("--primary-store %s: %w", storeName(o.primaryStore), err)
	}
	options.Primary, options.NoFeed = primary, true // a standby has no feed
	standby, err := openOnePostgres(ctx, o.store, options, o.keepTables)
	if err != nil {
		return nil, errors.Join(err, primary.Close())
	}
	return withPrimary{standby, primary}, nil
}

func openOnePostgres(ctx context.Context, url string, o postgres.Options, keepTables bool) (*postgres.Store, error) {
	s, err := postgres.Open(ctx, url, o)
	if err != nil {
		return nil, err
	}
	return migrated(ctx, s, keepTables)
}

// withPrimary is a store over a standby, which also closes that of the primary.
type withPrimary struct {
	*postgres.Store
	primary io.Closer
}

func (s withPrimary) Close() error { return errors.Join(s.Store.Close(), s.primary.Close()) }

func openRedis(ctx context.Context, o settings) (store.Store, error) {
	s, err := redis.Open(ctx, o.store, o.database.redis(o.storeTimeout))
	if err != nil && strings.Contains(err.Error(), "Options.AllowEviction") {
		err = fmt.Errorf("%w; here that is --redis-allow-eviction", err)
	}
	if err != nil {
		return nil, err
	}
	return migrated(ctx, s, o.keepTables)
}

// migrated creates or updates the tables of the store, or only reads a record if
// it must keep the tables. It closes the store after an error.
func migrated[S interface {
	store.Store
	Migrate(context.Context) error
}](ctx context.Context, s S, keepTables bool) (opened S, err error) {
	if !keepTables {
		err = s.Migrate(ctx)
	} else if _, _, err = s.Export(ctx, store.IdentityRecords, "", 1); err != nil {
		err = fmt.Errorf("%w; if its tables are missing or old, run: onezone store migrate", err)
	}
	if err != nil {
		return opened, errors.Join(err, s.Close())
	}
	return s, nil
}

// wrap wraps the backend as the settings require.
func (o *openedStore) wrap(ctx context.Context, cached bool, s settings, m *metrics.Metrics) (err error) {
	o.front = o.back
	if m != nil {
		if o.front, err = m.Store(o.front); err != nil {
			return err
		}
	}
	if err := o.seal(ctx, s); err != nil || !cached {
		return err
	}
	c, err := cache.New(o.front, s.memory.cache())
	if err != nil {
		return err
	}
	o.front, o.closers = c, append(o.closers, c)
	if m != nil {
		return m.Cache(func() metrics.CacheStats { return metrics.CacheStats(c.Stats()) })
	}
	return nil
}

// seal wraps the backend with encryption under the keys of the settings.
// Without keys it checks that no record is sealed.
func (o *openedStore) seal(ctx context.Context, s settings) error {
	if s.sealKeys == "" {
		o.check = func(ctx context.Context) error { return store.CheckSeal(ctx, o.back) }
		err := o.check(ctx)
		if errors.Is(err, store.ErrSealed) {
			return fmt.Errorf("--store %s needs --seal-key-file FILE, with the key that it was sealed with: its secrets are sealed", storeName(s.store))
		}
		return err
	}
	ring, err := s.readSealKeys()
	if err != nil {
		return err
	}
	convert := s.convertSeal
	o.keys = &keyRing{}
	o.keys.current.Store(ring)
	sealed, err := seal.New(ctx, o.front, o.keys, seal.Options{AllowPlaintext: convert, AllowOutdated: convert})
	switch {
	case errors.Is(err, seal.ErrNotSealed):
		return fmt.Errorf("--store %s was in use without --seal-key-file and holds secrets in clear; run: onezone store seal: %w", storeName(s.store), err)
	case errors.Is(err, seal.ErrOutdated):
		return fmt.Errorf("--store %s was sealed by an earlier release; run: onezone store seal: %w", storeName(s.store), err)
	case errors.Is(err, seal.ErrUnknownKey), errors.Is(err, seal.ErrCannotOpen):
		return fmt.Errorf("--seal-key-file %s does not hold the key that --store %s is sealed with: %w", s.sealKeys, storeName(s.store), err)
	case err != nil:
		return fmt.Errorf("--store %s: %w", storeName(s.store), err)
	}
	o.front, o.check = sealed, sealed.Check
	return nil
}

// closers are closed in the reverse of their order.
type closers []io.Closer

func (c closers) Close() error {
	var err error
	for i := len(c) - 1; i >= 0; i-- {
		err = errors.Join(err, c[i].Close())
	}
	return err
}
