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

// Require skips the test where there is no server to start, or fails it under CI.
func Require(tb testing.TB) {
	tb.Helper()
	if _, err := program("server"); err != nil {
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

// Cleanup ends what URL and ClusterAddrs started, and removes what tests left on
// a server that was there before. It is for TestMain.
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

// shared returns what starts something in a directory of its own, once, that
// lasts until Cleanup.
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

// Env names the server to test with, in place of one that is started.
const Env = "ONEZONE_TEST_REDIS"

// URL returns the URL of a server that all tests share: that of the environment,
// or one that is started for them.
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

// New starts a server for the test alone.
func New(tb testing.TB, args ...string) *Server {
	tb.Helper()
	return own(tb, Start, args...)
}

// NewSentinel starts a Sentinel for the test alone.
func NewSentinel(tb testing.TB, config string) *Server {
	tb.Helper()
	return own(tb, func(dir string, _ ...string) (*Server, error) { return StartSentinel(dir, config) })
}

// NewCluster starts a cluster for the test alone.
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

// Prefix returns a prefix of keys that no other test has, in any process.
func Prefix() string { return fmt.Sprintf("test-%016x-%d:", process, prefixes.Add(1)) }

var sweeping sync.Once

// sweep removes what the tests of this process left on the server.
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
