package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
)

// served runs the service in the directory until it serves, stops it, and
// returns its output and log.
func served(t *testing.T, dir string, args ...string) (printed, logged string) {
	t.Helper()
	var out, log syncbuffer.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	args = append([]string{"serve", "--address", "127.0.0.1:0", "--admin-address", "127.0.0.1:0", "--drain", "0s"}, args...)
	go func() { ended <- run(ctx, args, stdio{strings.NewReader(""), &out, &log}, unset) }()
	eventually(t, func() bool { return strings.Contains(log.String(), "msg=serving") }, "the service serves")
	cancel()
	require.NoError(t, <-ended)
	return out.String(), log.String()
}

// The demo user is created for a first try of the program, and with --demo. The
// test is not parallel, because it changes the directory.
func TestTheDemoUserIsOnlyForATryOfTheService(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	cert, key := newCertificate(t, dir)
	keys := filepath.Join(dir, "seal.key")
	require.NoError(t, os.WriteFile(keys, []byte("2026-01 "+strings.Repeat("A", 43)+"=\n"), 0o600))
	for _, c := range []struct {
		name string
		args []string
		demo bool
	}{
		{"a store in memory", []string{"--store", "memory:"}, false},
		{"a store of one's own", []string{"--store", "sqlite:data/own.db"}, false},
		{"the default store, named", []string{"--store", "sqlite:data/onezone.db"}, false},
		{"sealed secrets", []string{"--store", "sqlite:data/sealed.db", "--seal-key-file", keys}, false},
		{"a certificate", []string{"--tls-cert", cert, "--tls-key", key}, false},
		{"a domain", []string{"--domain", "onezone.example.com"}, false},
		{"an origin", []string{"--origin", "https://onezone.example.com"}, false},
		{"a proxy", []string{"--trusted-proxies", "127.0.0.0/8"}, false},
		{"refused", []string{"--demo=false"}, false},
		{"nothing", nil, true},
		{"nothing, again", nil, true},
		{"asked for", []string{"--store", "memory:", "--demo"}, true},
	} {
		printed, logged := served(t, dir, c.args...)
		if c.demo {
			require.Contains(t, printed, "\ncurl -u demo", c.name)
			require.Len(t, printedToken.FindStringSubmatch(printed), 2, c.name)
			require.NotContains(t, logged, printedToken.FindStringSubmatch(printed)[1], c.name)
		} else {
			require.Empty(t, printed, c.name)
		}
		require.NotContains(t, logged, "password", c.name)
	}

	_, err := order(t, filepath.Join(dir, "data", "onezone.db"), "", "user", "add", "--no-password", "alice")
	require.NoError(t, err)
	printed, _ := served(t, dir)
	require.Empty(t, printed, "a store with users is for others")
	printed, _ = served(t, dir, "--demo")
	require.Contains(t, printed, "curl -u demo ", "and the demo user still there")
}

func TestTheDemoUserIsForThisMachineOnly(t *testing.T) {
	t.Parallel()
	for address, demo := range map[string]bool{
		"127.0.0.1:0": true, "localhost:0": true, "[::1]:80": true, "127.1.2.3:80": true,
		":9080": false, "0.0.0.0:9080": false, "192.0.2.1:80": false, "[::]:80": false, "onezone.example.com:443": false,
	} {
		s, err := parsed(t, unset, "--address", address)
		require.NoError(t, err)
		require.Equal(t, demo, s.demoIfNew, address)
		require.False(t, s.demo)
		s, err = parsed(t, unset, "--address", address, "--demo")
		require.NoError(t, err)
		require.True(t, s.demo)
		s, err = parsed(t, unset, "--address", address, "--demo=false")
		require.NoError(t, err)
		require.False(t, s.demo || s.demoIfNew)
	}
}
