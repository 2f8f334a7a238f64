//go:build e2e

package sharedcache_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/freeport"
)

// startVarnish starts Varnish in front of the backend, with its default rules,
// and returns its URL. The end of the test stops it.
func startVarnish(t *testing.T, backend string) string {
	t.Helper()
	program, err := exec.LookPath("varnishd")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("varnishd is not installed; .ci/packages installs it")
		}
		t.Skip("varnishd is not installed; .ci/packages installs it")
	}
	u, err := url.Parse(backend)
	require.NoError(t, err)
	dir := t.TempDir()
	rules := filepath.Join(dir, "rules.vcl")
	require.NoError(t, os.WriteFile(rules, fmt.Appendf(nil,
		"vcl 4.1;\nbackend default { .host = %q; .port = %q; }\n", u.Hostname(), u.Port()), 0o644))
	port, err := freeport.Find()
	require.NoError(t, err)
	address := net.JoinHostPort("127.0.0.1", port)

	var out bytes.Buffer
	// Runs as the user of the test, so that it can read the test's directory.
	cmd := exec.Command(program, "-j", "none", "-F", "-n", filepath.Join(dir, "work"), "-a", address, "-f", rules, "-s", "malloc,16m")
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		<-ended
	})
	for deadline := time.Now().Add(time.Minute); ; {
		res, err := http.Get("http://" + address + "/")
		if err == nil {
			require.NoError(t, res.Body.Close())
			if res.StatusCode < http.StatusInternalServerError {
				return "http://" + address
			}
		}
		select {
		case <-ended:
			t.Fatalf("varnishd ended: %s", &out)
		case <-time.After(20 * time.Millisecond):
		}
		require.False(t, time.Now().After(deadline), "varnishd does not serve")
	}
}
