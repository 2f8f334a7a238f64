package syncbuffer_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
)

func TestConcurrentWritesAreAllKept(t *testing.T) {
	t.Parallel()
	var b syncbuffer.Buffer
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			b.Logger().Info("one")
			_ = b.String()
		})
	}
	all.Wait()
	require.Equal(t, 100, strings.Count(b.String(), "msg=one"))
}
