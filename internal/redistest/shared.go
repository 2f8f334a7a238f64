package redistest

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// Require skips the test where there is no server to start, or fails it under CI.
func Require(tb testing.TB) {
	tb.Helper()
	if _, err := Program(); err != nil {
		if os.Getenv("CI") != "" {
			tb.Fatalf("no Redis to test with: %v", err)
		}
		tb.Skipf("no Redis to test with: %v", err)
	}
}

// cleanups end what all tests of the process share.
var cleanups struct {
	sync.Mutex
	all []func()
}

// Cleanup ends what URL started. It is for TestMain.
func Cleanup() {
	cleanups.Lock()
	defer cleanups.Unlock()
	for _, cleanup := range slices.Backward(cleanups.all) {
		cleanup()
	}
}

func atCleanup(cleanup func()) {
	cleanups.Lock()
	defer cleanups.Unlock()
	cleanups.all = append(cleanups.all, cleanup)
}

// sharedServer starts a server that lasts until Cleanup.
var sharedServer = sync.OnceValues(func() (*Server, error) {
	dir, err := os.MkdirTemp("", "onezone-redis-")
	if err != nil {
		return nil, err
	}
	atCleanup(func() { _ = os.RemoveAll(dir) })
	s, err := Start(dir)
	if err == nil {
		atCleanup(s.Kill)
	}
	return s, err
})

// Env names the server to test with, in place of one that is started.
const Env = "ONEZONE_TEST_REDIS"

// URL returns the URL of a server that all tests share: that of the environment,
// or one that is started for them.
func URL(tb testing.TB) string {
	tb.Helper()
	if url := os.Getenv(Env); url != "" {
		return url
	}
	Require(tb)
	s, err := sharedServer()
	if err != nil {
		tb.Fatal(err)
	}
	return "redis://" + s.Addr
}

// New starts a server for the test alone.
func New(tb testing.TB, args ...string) *Server {
	tb.Helper()
	Require(tb)
	s, err := Start(tb.TempDir(), args...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Kill)
	return s
}

var prefixes atomic.Int64

// Prefix returns a prefix of keys that no other test has.
func Prefix() string { return fmt.Sprintf("test-%d-%d:", os.Getpid(), prefixes.Add(1)) }
