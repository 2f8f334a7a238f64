package transfer_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/transfer"
)

// used returns a filled store in which the first token was used.
func used(t *testing.T, change func(*store.Use)) *memory.Store {
	t.Helper()
	s := filled(t, 2)
	use := store.Use{
		TokenID: "t0", At: 1_700_000_040, Address: "192.0.2.0/24", Service: "opw-lyon", Interface: "rest", Count: store.MaxUseCount,
	}
	change(&use)
	require.NoError(t, s.RecordUses(t.Context(), []store.Use{use}))
	return s
}

func unchanged(*store.Use) {}

func TestUsesAreCopiedOnceHoweverOftenACopyRuns(t *testing.T) {
	t.Parallel()
	src, dst := used(t, func(u *store.Use) { u.Count = 7 }), memory.New()
	for range 2 {
		_, err := transfer.Copy(t.Context(), dst, src, transfer.Options{PageSize: 1})
		require.NoError(t, err)
		require.Empty(t, differences(t, dst, src))
		uses, err := dst.LastUses(t.Context(), []string{"t0"})
		require.NoError(t, err)
		require.EqualValues(t, 7, uses[0].Count)
	}
}

func TestUsesAreBackedUpAndRestored(t *testing.T) {
	t.Parallel()
	src, dst := used(t, unchanged), memory.New()
	text := backedUp(t, src)
	require.Contains(t, text, `{"use":{"tokenId":"t0","at":1700000040,"address":"192.0.2.0/24","service":"opw-lyon","interface":"rest","count":9007199254740991}}`)
	backup, err := transfer.OpenBackup(t.Context(), bytes.NewReader([]byte(text)), nil)
	require.NoError(t, err)
	_, err = backup.Restore(t.Context(), dst, transfer.RestoreOptions{})
	require.NoError(t, err)
	require.Empty(t, differences(t, dst, src))
}

func TestCompareChecksUses(t *testing.T) {
	t.Parallel()
	require.Empty(t, differences(t, used(t, unchanged), used(t, unchanged)))
	require.Equal(t, []string{`last use "t0": missing`}, differences(t, filled(t, 2), used(t, unchanged)))
	require.Equal(t, []string{`last use "t0": extra`}, differences(t, used(t, unchanged), filled(t, 2)))
	for what, change := range map[string]func(*store.Use){
		"time":      func(u *store.Use) { u.At += 60 },
		"address":   func(u *store.Use) { u.Address = "" },
		"service":   func(u *store.Use) { u.Service = "opw-paris" },
		"interface": func(u *store.Use) { u.Interface = "graphsync" },
		"count":     func(u *store.Use) { u.Count-- },
	} {
		require.Equal(t, []string{`last use "t0": different`}, differences(t, used(t, change), used(t, unchanged)), what)
	}
}
