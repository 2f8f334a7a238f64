package readme

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/internal/testing/pgtest"
	"github.com/onezone-go/onezone/internal/testing/redistest"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/cache"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/postgres"
	"github.com/onezone-go/onezone/store/redis"
	"github.com/onezone-go/onezone/store/seal"
	"github.com/onezone-go/onezone/store/sqlite"
)

func TestMain(m *testing.M) {
	status := pgtest.Main(m)
	redistest.Cleanup()
	os.Exit(status)
}

// works uses a store and closes it.
func works(t *testing.T, records store.Store, err error) {
	t.Helper()
	require.NoError(t, err)
	alice, secret := caveat.User("alice"), store.NewSecret("0a6f")
	_, err = records.EnsureTemporaryKey(t.Context(), alice, secret)
	require.NoError(t, err)
	key, err := records.TemporaryKey(t.Context(), alice)
	require.NoError(t, err)
	require.True(t, key.Secret.Equal(secret))
	require.NoError(t, records.Close())
}

func openMemory() store.Store { return memory.New() }

// openSQLite opens a file.
func openSQLite(ctx context.Context, path string) (store.Store, error) {
	records, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err == nil {
		err = records.Migrate(ctx)
	}
	return records, err
}

// openPostgres opens postgres://user@host/database.
func openPostgres(ctx context.Context, url string) (store.Store, error) {
	records, err := postgres.Open(ctx, url, postgres.Options{})
	if err == nil {
		err = records.Migrate(ctx)
	}
	return records, err
}

// openRedis opens redis://host:6379.
func openRedis(ctx context.Context, url string) (store.Store, error) {
	records, err := redis.Open(ctx, url, redis.Options{})
	if err == nil {
		err = records.Migrate(ctx)
	}
	return records, err
}

// cached puts a cache over a store that other processes use as well.
func cached(backend store.Store) (store.Store, error) {
	return cache.New(backend, cache.Options{MaxEntries: 100_000})
}

// sealed keeps the secrets in a store under a key of 32 random bytes.
func sealed(ctx context.Context, backend store.Store, material store.Secret) (store.Store, error) {
	keys, err := seal.NewStaticKeys(seal.Key{ID: "2026-11", Material: material})
	if err != nil {
		return nil, err
	}
	return seal.New(ctx, backend, keys, seal.Options{})
}

func TestMemory(t *testing.T) {
	t.Parallel()
	works(t, openMemory(), nil)
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	records, err := openSQLite(t.Context(), filepath.Join(t.TempDir(), "tokens.db"))
	works(t, records, err)
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	records, err := openPostgres(t.Context(), pgtest.URL(t))
	works(t, records, err)
}

func TestRedis(t *testing.T) {
	t.Parallel()
	records, err := openRedis(t.Context(), redistest.URL(t))
	works(t, records, err)
}

func TestCache(t *testing.T) {
	t.Parallel()
	backend := memory.New()
	records, err := cached(backend)
	works(t, records, err)
	require.NoError(t, backend.Close())
}

func TestSeal(t *testing.T) {
	t.Parallel()
	records, err := sealed(t.Context(), memory.New(), store.NewSecret(strings.Repeat("k", 32)))
	works(t, records, err)
}
