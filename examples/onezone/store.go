package main

import (
	"context"
	"errors"
	"fmt"
	"io"
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

// backend is what every store of this program can do.
type backend interface {
	store.Store
	store.Archive
	store.Watcher
	store.TemporaryReplacer
}

// openedStore is the store of the settings, with all that goes in front of it.
type openedStore struct {
	front store.Store // what the program uses
	back  backend     // where the records are
	closers
}

// openStore opens the store of the settings with all that goes in front of it,
// from the back to the front: deadlines, latencies, encryption, cache. A cache in
// front of the encryption spares opening a secret at each verification. Without
// metrics nothing is measured. Errors name the flag to change.
func openStore(ctx context.Context, s settings, m *metrics.Metrics) (*openedStore, error) {
	b, cached, err := openBackend(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("-store %s: %w", storeName(s.store), err)
	}
	opened := &openedStore{back: b, closers: closers{b}}
	if opened.front, err = decorate(b, cached, s, m, &opened.closers); err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	return opened, nil
}

// openBackend opens the database, makes its tables and tells whether a cache in
// front of it is of any use.
func openBackend(ctx context.Context, s settings) (b backend, cached bool, err error) {
	scheme, path, _ := strings.Cut(s.store, ":")
	switch scheme {
	case "memory":
		return memory.New(), false, nil
	case "sqlite":
		b, err = openSQLite(ctx, path)
		return b, s.cache, err
	case "postgres", "postgresql":
		b, err = openPostgres(ctx, s)
		return b, s.cache, err
	case "redis", "rediss":
		b, err = openRedis(ctx, s)
		return b, false, err // its client has a cache, which the server looks after
	}
	return nil, false, checkStore(s.store)
}

func openSQLite(ctx context.Context, path string) (backend, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("making the data directory: %w", err)
	}
	s, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		return nil, err
	}
	return migrated(ctx, s)
}

func openPostgres(ctx context.Context, o settings) (backend, error) {
	s, err := postgres.Open(ctx, o.store, postgres.Options{})
	if err != nil {
		return nil, err
	}
	return limited(o.storeTimeout)(migrated(ctx, s))
}

func openRedis(ctx context.Context, o settings) (backend, error) {
	options := redis.Options{}
	if !o.cache {
		options.CacheTTL = -1
	}
	s, err := redis.Open(ctx, o.store, options)
	if err != nil {
		return nil, err
	}
	return limited(o.storeTimeout)(migrated(ctx, s))
}

// migrated makes or updates the tables of the store, or closes it.
func migrated[S interface {
	backend
	Migrate(context.Context) error
}](ctx context.Context, s S) (backend, error) {
	if err := s.Migrate(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func decorate(b backend, cached bool, s settings, m *metrics.Metrics, opened *closers) (front store.Store, err error) {
	front = b
	if m != nil {
		if front, err = m.Store(front); err != nil {
			return nil, err
		}
	}
	if s.sealKeys != "" {
		ring, err := readSealKeys(s.sealKeys)
		if err != nil {
			return nil, fmt.Errorf("-seal-key-file %s: %w", s.sealKeys, err)
		}
		if front, err = seal.New(front, ring); err != nil {
			return nil, err
		}
	}
	if !cached {
		return front, nil
	}
	c, err := cache.New(front, cache.Options{})
	if err != nil {
		return nil, err
	}
	*opened = append(*opened, c)
	if m != nil {
		err = m.Cache(func() metrics.CacheStats { return metrics.CacheStats(c.Stats()) })
	}
	return c, err
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
