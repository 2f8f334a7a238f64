package memory

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestIndexIsASortedList(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	x := newIndex(cmp.Compare[int])
	var model []int
	check := func() {
		t.Helper()
		require.Equal(t, model, slices.Collect(x.from(func(int) bool { return false })))
		for range 20 {
			limit := random.IntN(12_000) - 1000
			at, _ := slices.BinarySearch(model, limit)
			got, more := firstOf(x.from(func(e int) bool { return e < limit }), 3)
			require.Equal(t, model[at:min(at+3, len(model))], append([]int{}, got...), "from %d", limit)
			require.Equal(t, at+3 < len(model), more, "from %d", limit)
		}
		for _, chunk := range x.chunks {
			require.NotEmpty(t, chunk)
			require.LessOrEqual(t, len(chunk), maxChunk)
		}
	}
	// The index grows at the end, then anywhere, and shrinks until it is empty.
	for e := range 3000 {
		x.insert(e)
		model = append(model, e)
	}
	check()
	for range 3000 {
		e := random.IntN(10_000)
		if at, found := slices.BinarySearch(model, e); found {
			x.remove(e)
			model = slices.Delete(model, at, at+1)
		} else {
			x.insert(e)
			model = slices.Insert(model, at, e)
		}
	}
	check()
	for i, e := range rand.Perm(10_000) {
		if at, found := slices.BinarySearch(model, e); found {
			x.remove(e)
			model = slices.Delete(model, at, at+1)
		}
		if i%2000 == 0 {
			check()
		}
	}
	require.Empty(t, x.chunks)
	require.Empty(t, slices.Collect(x.from(func(int) bool { return false })))
}

func TestIndexStopsEarly(t *testing.T) {
	t.Parallel()
	x := newIndex(cmp.Compare[int])
	for e := range 2 * maxChunk {
		x.insert(e)
	}
	visited := 0
	for range x.from(func(int) bool { return false }) {
		if visited++; visited == 5 {
			break
		}
	}
	require.Equal(t, 5, visited)
}
