package redistest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/redis/rueidis"
)

const noServer = "no server to test with: there is neither redis-server nor valkey-server on the PATH"

// Require skips the test where there is no server to start, or fails it under CI.
func Require(tb testing.TB) {
	tb.Helper()
	if _, err := Program(); err != nil {
		if os.Getenv("CI") != "" {
			tb.Fatal(noServer)
		}
		tb.Skip(noServer)
	}
}

// cleanups end what all tests of the process share, the last first.
var (
	cleanupsMu sync.Mutex
	cleanups   []func()
)

func later(cleanup func()) {
	cleanupsMu.Lock()
	defer cleanupsMu.Unlock()
	cleanups = append(cleanups, cleanup)
}

// Cleanup ends what URL and ClusterAddrs started, and removes what tests left on
// a server that was there before. It is for TestMain.
func Cleanup() {
	for _, cleanup := range slices.Backward(cleanups) {
		cleanup()
	}
}

var sharedServer = sync.OnceValues(func() (*Server, error) {
	dir, err := os.MkdirTemp("", "redistest")
	if err != nil {
		return nil, err
	}
	later(func() { _ = os.RemoveAll(dir) })
	s, err := Start(dir)
	if err == nil {
		later(s.Kill)
	}
	return s, err
})

var sharedCluster = sync.OnceValues(func() (*Cluster, error) {
	dir, err := os.MkdirTemp("", "redistest")
	if err != nil {
		return nil, err
	}
	later(func() { _ = os.RemoveAll(dir) })
	c, err := StartCluster(dir)
	if err == nil {
		later(c.Kill)
	}
	return c, err
})

var sweeping sync.Once

// sweepLater has Cleanup remove what tests leave on a server that is not theirs.
func sweepLater(url string) {
	sweeping.Do(func() {
		later(func() {
			if err := sweep(url); err != nil {
				fmt.Fprintln(os.Stderr, "keys of tests are left on the server:", err)
			}
		})
	})
}

func sweep(url string) error {
	option, err := rueidis.ParseURL(url)
	if err != nil {
		return err
	}
	client, err := rueidis.NewClient(option)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for cursor := uint64(0); ; {
		scan := client.B().Scan().Cursor(cursor).Match(fmt.Sprintf("test-%016x-*", process)).Count(10_000).Build()
		page, err := client.Do(ctx, scan).AsScanEntry()
		if err != nil {
			return err
		}
		if len(page.Elements) > 0 {
			if err := client.Do(ctx, client.B().Unlink().Key(page.Elements...).Build()).Error(); err != nil {
				return err
			}
		}
		if cursor = page.Cursor; cursor == 0 {
			return nil
		}
	}
}

// URL returns the URL of a server that all tests share: that of
// ONEZONE_TEST_REDIS, or one that is started for them.
func URL(tb testing.TB) string {
	tb.Helper()
	if url := os.Getenv("ONEZONE_TEST_REDIS"); url != "" {
		sweepLater(url)
		return url
	}
	Require(tb)
	s, err := sharedServer()
	if err != nil {
		tb.Fatal(err)
	}
	return "redis://" + s.Addr
}

// ClusterAddrs returns the addresses of a cluster that all tests share.
func ClusterAddrs(tb testing.TB) []string {
	tb.Helper()
	Require(tb)
	c, err := sharedCluster()
	if err != nil {
		tb.Fatal(err)
	}
	return c.Addrs()
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

// FreePort returns a port that is free now.
func FreePort(tb testing.TB) string {
	tb.Helper()
	port, err := freePort()
	if err != nil {
		tb.Fatal(err)
	}
	return port
}

// NewSentinel starts a Sentinel for the test alone.
func NewSentinel(tb testing.TB, config string) *Server {
	tb.Helper()
	Require(tb)
	s, err := StartSentinel(tb.TempDir(), config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Kill)
	return s
}

// NewCluster starts a cluster for the test alone.
func NewCluster(tb testing.TB, args ...string) *Cluster {
	tb.Helper()
	Require(tb)
	c, err := StartCluster(tb.TempDir(), args...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.Kill)
	return c
}

var (
	process  = rand.Uint64()
	prefixes atomic.Int64
)

// Prefix returns a prefix of keys that no other test has, in any process.
func Prefix() string { return fmt.Sprintf("test-%016x-%d:", process, prefixes.Add(1)) }
