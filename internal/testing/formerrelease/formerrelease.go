// Package formerrelease contains one store as the release before schema version
// 3 wrote it with each backend, for tests of migrations.
package formerrelease

import (
	"bytes"
	_ "embed"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/transfer"
)

// The dumps of the stores. Each line of Redis is a command with quoted
// arguments.
var (
	//go:embed sqlite.sql
	SQLite string
	//go:embed postgres.sql
	Postgres string
	//go:embed redis.txt
	Redis string
)

//go:embed records.jsonl
var backup []byte

// RequireMigrated requires that the store has exactly the records of the dump,
// and that it keeps the fields that were added since.
func RequireMigrated(t *testing.T, s store.Store) {
	t.Helper()
	want := memory.New()
	file, err := transfer.OpenBackup(t.Context(), bytes.NewReader(backup), nil)
	require.NoError(t, err)
	records, err := file.Restore(t.Context(), want, transfer.RestoreOptions{})
	require.NoError(t, err)
	require.EqualValues(t, 6, records)
	requireEqual(t, s, want)

	tightened := []store.OwnerCaveat{{Text: "ip = 10.0.0.0/9", Added: 1_700_000_000}}
	for _, s := range []store.Store{want, s} {
		require.NoError(t, s.UpdateToken(t.Context(), "a1", func(t *store.Token) error {
			t.Tightened, t.Bait = tightened, store.BaitAlarm
			return nil
		}))
		child, err := s.GetToken(t.Context(), "a1")
		require.NoError(t, err)
		child.ID, child.Name, child.Parent = "c1", "minted with a1", "a1"
		_, err = s.CreateToken(t.Context(), child, store.HolderActive)
		require.NoError(t, err)
		uses, err := s.LastUses(t.Context(), []string{"a1"})
		require.NoError(t, err)
		require.Equal(t, []store.Use{{}}, uses, "the former release recorded no uses")
		use := store.Use{TokenID: "a1", At: 1_700_000_040, Address: "192.0.2.0/24", Count: 1}
		require.NoError(t, s.RecordUses(t.Context(), []store.Use{use}))
	}
	requireEqual(t, s, want)
	key, err := s.NamedKey(t.Context(), "a1")
	require.NoError(t, err)
	require.Equal(t, tightened, key.Tightened)
	minted, _, err := s.ListTokenIDs(t.Context(), store.Query{Parent: "a1"})
	require.NoError(t, err)
	require.Equal(t, []string{"c1"}, minted)
}

func requireEqual(t *testing.T, got, want store.Store) {
	t.Helper()
	for d, err := range transfer.Compare(t.Context(), got, want) {
		require.NoError(t, err)
		t.Errorf("%s", d)
	}
}
