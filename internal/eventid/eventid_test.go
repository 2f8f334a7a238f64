package eventid_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/eventid"
)

func TestIDsAreUUIDsOfVersion7WithTheCurrentTime(t *testing.T) {
	t.Parallel()
	before := time.Now().Add(-time.Millisecond)
	for range 1000 {
		text := eventid.New()
		id, err := uuid.Parse(text)
		require.NoError(t, err)
		require.Equal(t, text, id.String())
		require.EqualValues(t, 7, id.Version())
		require.Equal(t, uuid.RFC4122, id.Variant())
		at := time.Unix(id.Time().UnixTime())
		require.WithinRange(t, at, before, time.Now().Add(time.Second)) // ids made at once are ahead of the clock
	}
}

func TestLaterIDsAreGreater(t *testing.T) {
	t.Parallel()
	const makers, each = 4, 5000
	lists := make([][]string, makers)
	var all sync.WaitGroup
	for i := range lists {
		all.Go(func() {
			for range each {
				lists[i] = append(lists[i], eventid.New())
			}
		})
	}
	all.Wait()
	for _, list := range lists {
		require.True(t, slices.IsSorted(list))
	}
	together := slices.Concat(lists...)
	slices.Sort(together)
	require.Len(t, slices.Compact(together), makers*each)
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		eventid.New()
	}
}
