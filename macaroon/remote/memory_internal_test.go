package remote

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
)

// The figure is that of docs/benchmarks.md.
func TestAFullCacheTakesFewMegabytes(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	c, err := newCache(DefaultMaxEntries)
	require.NoError(t, err)
	for i := range 5 * DefaultMaxEntries {
		var k key
		binary.LittleEndian.PutUint64(k[:], uint64(i)*0x9e3779b97f4a7c15)
		c.put(k, &answer{number: uint64(i + 1), asked: time.Now(), life: time.Minute, limit: forever, subject: caveat.User(fmt.Sprintf("%032x", i))})
	}
	c.answers.CleanUp()
	used := int64(heap()) - int64(before)
	t.Logf("%d answers take %d bytes, %d each", c.answers.EstimatedSize(), used, used/DefaultMaxEntries)
	require.LessOrEqual(t, c.answers.EstimatedSize(), DefaultMaxEntries)
	require.Less(t, used, int64(8<<20))
	runtime.KeepAlive(c)
}
