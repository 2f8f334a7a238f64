package sqlite_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/sqlite"
)

// TestNothingRunsAfterClose is not parallel: it looks at all goroutines.
func TestNothingRunsAfterClose(t *testing.T) {
	before := busy()
	path := newPath(t)
	for range 3 {
		s := openAt(t, path, sqlite.Options{})
		ended := make(chan error, 2)
		up := make(chan struct{}, 2)
		for range cap(ended) {
			go func() { ended <- s.Watch(context.Background(), func(store.Change) { up <- struct{}{} }) }()
			receive(t, up, "the feed is connected")
		}
		for _, c := range calls(s) {
			ctx, cancel := context.WithCancel(t.Context())
			_ = c.do(ctx)
			cancel()
		}
		require.NotEmpty(t, busy(), "the check finds no goroutine of an open store")
		go func() {
			for range up {
			}
		}()
		require.NoError(t, s.Close())
		for range cap(ended) {
			require.ErrorIs(t, receive(t, ended, "the feed ends"), store.ErrClosed)
		}
		close(up)
	}
	if !assert.Eventually(t, func() bool { return len(busy()) <= len(before) }, testTimeout, time.Millisecond) {
		t.Fatal("something still runs:\n", strings.Join(busy(), "\n\n"))
	}
}

// busy returns the stacks of goroutines that use a database.
func busy() (stacks []string) {
	buffer := make([]byte, 1<<22)
	for stack := range strings.SplitSeq(string(buffer[:runtime.Stack(buffer, true)]), "\n\n") {
		if strings.Contains(stack, "database/sql") || strings.Contains(stack, "store/sqlite.") || strings.Contains(stack, "modernc.org") {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}
