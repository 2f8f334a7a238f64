//go:build unix

package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/cache"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/transfer"
)

// Engines that keep all records in memory. Their size is that memory, and
// nothing in them is ever cold.

type memoryEngine struct {
	s     *memory.Store
	empty uint64 // heap before the load
}

func newMemoryEngine() *memoryEngine { return &memoryEngine{memory.New(), heap()} }

// heap returns the bytes of the objects in use.
func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// unclosed keeps the store between the load and the measurement.
type unclosed struct{ store.Store }

func (unclosed) Close() error { return nil }

func (e *memoryEngine) load(context.Context) (store.Store, error) { return unclosed{e.s}, nil }
func (e *memoryEngine) open(context.Context) (store.Store, error) { return unclosed{e.s}, nil }
func (*memoryEngine) cool() error                                 { return nil }
func (e *memoryEngine) size() (int64, error)                      { return int64(heap() - e.empty), nil }
func (*memoryEngine) importers() int                              { return 1 }
func (e *memoryEngine) Close() error                              { return e.s.Close() }

func (*memoryEngine) backup(ctx context.Context, s store.Store) (int64, error) { return export(ctx, s) }

// counter counts the bytes that are written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// export writes a backup that counts the bytes only.
func export(ctx context.Context, s store.Exporter) (int64, error) {
	var written counter
	_, err := transfer.Backup(ctx, &written, s, transfer.BackupOptions{})
	return int64(written), err
}

type redisEngine struct {
	sharedRedis
	empty int64 // memory of the server before the load
}

func newRedisEngine() (engine, error) {
	s, err := newSharedRedis(false)
	if err != nil {
		return nil, err
	}
	e := &redisEngine{sharedRedis: s}
	e.empty, err = e.size()
	return e, err
}

func (e *redisEngine) load(ctx context.Context) (store.Store, error) { return e.replica(ctx) }
func (e *redisEngine) open(ctx context.Context) (store.Store, error) { return e.replica(ctx) }
func (*redisEngine) cool() error                                     { return nil }
func (*redisEngine) importers() int                                  { return 2 }

func (e *redisEngine) size() (bytes int64, err error) {
	used, err := e.memory()
	return used - e.empty, err
}

func (*redisEngine) backup(ctx context.Context, s store.Store) (int64, error) { return export(ctx, s) }

// cacheEntry reports the memory of an entry of the cache.
func (m *measurement) cacheEntry(ctx context.Context) (err error) {
	entries := min(m.tokens, cacheEntries)
	c, err := cache.New(m.s, cache.Options{MaxEntries: 2 * entries, TTL: time.Hour, ShortTTL: time.Hour})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	before := heap()
	for n := range entries {
		if _, err := c.NamedKey(ctx, tokenID(n)); err != nil {
			return err
		}
	}
	m.report("bytes of memory an entry of the cache", fmt.Sprint(int64(heap()-before)/int64(entries)))
	return nil
}
