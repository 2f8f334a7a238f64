package sqlite_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/seal"
	"github.com/onezone-go/onezone/store/sqlite"
	"github.com/onezone-go/onezone/store/storetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	keys, err := seal.NewStaticKeys(seal.Key{ID: "first", Material: store.NewSecret("01234567890123456789012345678901")})
	require.NoError(t, err)
	for name, open := range map[string]func(t *testing.T) store.Store{
		"Open": func(t *testing.T) store.Store { return openAt(t, newPath(t), sqlite.Options{}) },
		// The default mode of SQLite: readers and writers lock each other out,
		// and no call waits.
		"NewOverPlainHandle": func(t *testing.T) store.Store {
			return newOver(t, newHandle(t, newPath(t), "_synchronous", "OFF"), sqlite.Options{})
		},
		"NewOverWAL": func(t *testing.T) store.Store {
			return newOver(t, newHandle(t, newPath(t), "_journal_mode", "WAL", "_synchronous", "NORMAL"), sqlite.Options{})
		},
		"NewOverMemory": func(t *testing.T) store.Store {
			db := newHandle(t, ":memory:")
			db.SetMaxOpenConns(1)
			return newOver(t, db, sqlite.Options{})
		},
		"SealedWithOneReader": func(t *testing.T) store.Store {
			s, err := seal.New(t.Context(), openAt(t, newPath(t), sqlite.Options{Readers: 1, Synchronous: sqlite.Off}), keys, seal.Options{})
			require.NoError(t, err)
			return s
		},
	} {
		if testing.Short() && name != "Open" && name != "SealedWithOneReader" {
			continue // the handles of others
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, open)
		})
	}
}
