package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/store"
)

func TestUsedSinceCountsTheWholeMinute(t *testing.T) {
	t.Parallel()
	at := time.Unix(1_700_000_040, 0)
	use := store.Use{TokenID: "a", At: at.Unix(), Count: 1}
	for _, since := range []time.Time{at.Add(-time.Hour), at, at.Add(time.Minute - 1)} {
		require.True(t, use.UsedSince(since), since)
	}
	for _, since := range []time.Time{at.Add(time.Minute), at.Add(time.Hour)} {
		require.False(t, use.UsedSince(since), since)
	}
	require.False(t, store.Use{}.UsedSince(time.Time{}), "it was never used")
}

func TestMergeKeepsTheLaterUseAndAddsTheCounts(t *testing.T) {
	t.Parallel()
	early := store.Use{TokenID: "a", At: 60, Address: "192.0.2.1", Count: 2}
	late := store.Use{TokenID: "a", At: 120, Address: "192.0.2.2", Count: 3}
	want := late
	want.Count = 5
	require.Equal(t, want, early.Merge(late))
	require.Equal(t, want, late.Merge(early))
	many := store.Use{TokenID: "a", At: 60, Count: store.MaxUseCount}
	require.EqualValues(t, int64(store.MaxUseCount), many.Merge(many).Count)
	require.EqualValues(t, int64(store.MaxUseCount), many.Merge(late).Count)
}
