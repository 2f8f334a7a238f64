package readme

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/internal/pgtest"
	"github.com/onezone-go/onezone/internal/redistest"
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

// works tries a store that was just opened, and closes it.
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

func TestMemory(t *testing.T) {
	t.Parallel()
	records := memory.New()

	works(t, records, nil)
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "tokens.db")

	records, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err == nil {
		err = records.Migrate(ctx)
	}

	works(t, records, err)
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	ctx, url := t.Context(), pgtest.URL(t)

	records, err := postgres.Open(ctx, url, postgres.Options{}) // postgres://user@host/database
	if err == nil {
		err = records.Migrate(ctx)
	}

	works(t, records, err)
}

func TestRedis(t *testing.T) {
	t.Parallel()
	ctx, url := t.Context(), redistest.URL(t)

	records, err := redis.Open(ctx, url, redis.Options{}) // redis://host:6379
	if err == nil {
		err = records.Migrate(ctx)
	}

	works(t, records, err)
}

func TestCache(t *testing.T) {
	t.Parallel()
	backend := memory.New()

	records, err := cache.New(backend, cache.Options{MaxEntries: 100_000})

	works(t, records, err)
	require.NoError(t, backend.Close())
}

func TestSeal(t *testing.T) {
	t.Parallel()
	ctx, backend, material := t.Context(), memory.New(), store.NewSecret(strings.Repeat("k", 32))

	keys, err := seal.NewStaticKeys(seal.Key{ID: "2026-11", Material: material}) // 32 random bytes
	require.NoError(t, err)
	records, err := seal.New(ctx, backend, keys)

	works(t, records, err)
}
