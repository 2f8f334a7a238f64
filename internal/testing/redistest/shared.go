//go:build unix

package redistest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// Require skips the test if no server is installed, or fails it if CI is set.
func Require(tb testing.TB) {
	tb.Helper()
	if _, err := program("server"); err != nil {
		if os.Getenv("CI") != "" {
			tb.Fatalf("no Redis to test with: %v", err)
		}
		tb.Skipf("no Redis to test with: %v", err)
	}
}

// cleanups stop the servers that all tests of the process share.
var cleanups struct {
	sync.Mutex
	all []func()
}

// Cleanup stops the servers that URL and ClusterAddrs started, and removes the
// keys of tests from an external server. Call it in TestMain.
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

// shared returns a function that starts a server once, in its own directory.
// The server runs until Cleanup.
func shared[S interface{ Kill() }](start func(dir string, args ...string) (S, error)) func() (S, error) {
	return sync.OnceValues(func() (s S, err error) {
		dir, err := os.MkdirTemp("", "onezone-redis-")
		if err != nil {
			return s, err
		}
		atCleanup(func() { _ = os.RemoveAll(dir) })
		if s, err = start(dir); err == nil {
			atCleanup(s.Kill)
		}
		return s, err
	})
}

var (
	sharedServer  = shared(Start)
	sharedCluster = shared(StartCluster)
)

// Env is the environment variable with the URL of a server to test with.
const Env = "ONEZONE_TEST_REDIS"

// URL returns the URL of a server that all tests share: the one that [Env]
// names, or one that URL starts.
func URL(tb testing.TB) string {
	tb.Helper()
	if url := os.Getenv(Env); url != "" {
		sweeping.Do(func() { atCleanup(func() { sweep(url) }) })
		return url
	}
	Require(tb)
	s, err := sharedServer()
	return "redis://" + must(tb, s, err).Addr
}

// ClusterAddrs returns the addresses of a cluster that all tests share.
func ClusterAddrs(tb testing.TB) []string {
	tb.Helper()
	Require(tb)
	c, err := sharedCluster()
	return must(tb, c, err).Addrs()
}

// New starts a server for this test alone.
func New(tb testing.TB, args ...string) *Server {
	tb.Helper()
	return own(tb, Start, args...)
}

// NewSentinel starts a Sentinel for this test alone.
func NewSentinel(tb testing.TB, config string) *Server {
	tb.Helper()
	return own(tb, func(dir string, _ ...string) (*Server, error) { return StartSentinelAt(loopback, dir, config) })
}

// NewCluster starts a cluster for this test alone.
func NewCluster(tb testing.TB, args ...string) *Cluster {
	tb.Helper()
	return own(tb, StartCluster, args...)
}

func own[S interface{ Kill() }](tb testing.TB, start func(dir string, args ...string) (S, error), args ...string) S {
	tb.Helper()
	Require(tb)
	s, err := start(tb.TempDir(), args...)
	must(tb, s, err)
	tb.Cleanup(s.Kill)
	return s
}

func must[S any](tb testing.TB, s S, err error) S {
	tb.Helper()
	if err != nil {
		tb.Fatalf("start Redis: %v", err)
	}
	return s
}

var (
	process  = rand.Uint64()
	prefixes atomic.Int64
)

// Prefix returns a prefix of keys that is unique among all tests and processes.
func Prefix() string { return fmt.Sprintf("test-%016x-%d:", process, prefixes.Add(1)) }

var sweeping sync.Once

// sweep removes the keys of this process's tests from the server.
func sweep(url string) {
	const script = `
		local cursor = '0'
		repeat
			local page = redis.call('SCAN', cursor, 'MATCH', ARGV[1], 'COUNT', 1000)
			cursor = page[1]
			for _, key in ipairs(page[2]) do redis.call('UNLINK', key) end
		until cursor == '0'`
	if _, err := askAt(url, "EVAL", script, "0", fmt.Sprintf("test-%016x-*", process)); err != nil {
		fmt.Fprintln(os.Stderr, "keys of tests are left on the server:", err)
	}
}
