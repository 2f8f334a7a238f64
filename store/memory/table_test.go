package memory

import (
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
)

func TestTableBehavesLikeAMap(t *testing.T) {
	t.Parallel()
	table, model := newTable[string, int](maphash.String), make(map[string]*int)
	random := rand.New(rand.NewPCG(1, 2))
	for step := range 30_000 {
		key := fmt.Sprint(random.IntN(2000))
		if random.IntN(3) == 0 {
			table.remove(key)
			delete(model, key)
		} else {
			table.put(key, &step)
			model[key] = &step
		}
		require.Same(t, model[key], table.get(key), "step %d, key %s", step, key)
		require.Equal(t, len(model), table.count, "step %d, key %s", step, key)
	}
	for i := range 2000 {
		require.Same(t, model[fmt.Sprint(i)], table.get(fmt.Sprint(i)))
	}
	require.Nil(t, table.get("unknown"))
}

func TestTableKeepsChainsShort(t *testing.T) {
	t.Parallel()
	table := newTable[int, int](maphash.Comparable[int])
	const keys = 100_000
	for i := range keys {
		table.put(i, &i)
	}
	buckets := *table.buckets.Load()
	require.GreaterOrEqual(t, len(buckets), keys)
	for i := range buckets {
		length := 0
		for n := buckets[i].Load(); n != nil; n = n.next {
			length++
		}
		require.Less(t, length, 20, "a chain of %d in a table of random hashes", length)
	}
}

// A reader never misses an existing key, and never sees an older value after a
// newer one, while writers replace values and the table grows.
func TestTableIsConsistentForConcurrentReaders(t *testing.T) {
	t.Parallel()
	table := newTable[caveat.Subject, int64](hashSubject)
	stable := make([]caveat.Subject, 50)
	for i := range stable {
		stable[i] = caveat.User(fmt.Sprint("stable", i))
		table.put(stable[i], new(int64))
	}
	var done atomic.Bool
	var lost, stale atomic.Int64
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			last := make(map[caveat.Subject]int64)
			for !done.Load() {
				for _, key := range stable {
					v := table.get(key)
					if v == nil {
						lost.Add(1)
						continue
					}
					if *v < last[key] {
						stale.Add(1)
					}
					last[key] = *v
				}
			}
		})
	}
	for i := range int64(20_000) {
		extra := caveat.Provider(fmt.Sprint(i))
		table.put(extra, &i)
		if i%3 == 0 {
			table.remove(extra)
		}
		table.put(stable[i%int64(len(stable))], &i)
	}
	done.Store(true)
	readers.Wait()
	require.Zero(t, lost.Load(), "look-ups that missed a key")
	require.Zero(t, stale.Load(), "look-ups that saw an older value than before")
}
