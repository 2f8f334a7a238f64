package main

import (
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMetricsAndProfilesAreOnTheAdminAddressOnly(t *testing.T) {
	t.Parallel()
	s, end := inProcess(t, "--store", "memory:")
	defer end()
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline", "/debug/pprof/profile?seconds=1"} {
		require.Equal(t, 404, s.get("GET", path, "").status, path)
		a := s.ask(s.admin, "GET", path, "")
		require.Equal(t, 200, a.status, path)
		require.NotEmpty(t, a.body, path)
	}
	for _, path := range []string{"/", "/debug", "/debug/pprof", "/api/v3/onezone/user"} {
		a := s.ask(s.admin, "GET", path, "")
		require.Equal(t, 404, a.status, path)
		require.Contains(t, a.body, `"notFound"`)
	}
	require.Contains(t, s.log.String(), "admin="+s.admin)
}

// Two services on one machine need no settings, but an address that somebody
// asked for must be free.
func TestAnAdminAddressInUse(t *testing.T) {
	t.Parallel()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer busy.Close()
	_, err = command(t, "serve", "--store", "memory:", "--demo", "--address", "127.0.0.1:0", "--admin-address", busy.Addr().String())
	require.ErrorContains(t, err, "--admin-address "+busy.Addr().String()+": bind: address already in use")

	s := settings{adminAddress: busy.Addr().String(), adminIfFree: true}
	var log strings.Builder
	v := &service{settings: s, log: newLogger(&log, "text", s.logLevel)}
	admin, err := v.listenAdmin()
	require.NoError(t, err)
	require.Nil(t, admin)
	require.Contains(t, log.String(), "there are no metrics, because their default address is in use")
}

func TestTheAdminAddressCanBeTurnedOff(t *testing.T) {
	t.Parallel()
	_, log := served(t, t.TempDir(), "--store", "memory:", "--admin-address", "")
	require.Contains(t, log, `admin=""`)
	_, err := parsed(t, unset, "--admin-address", "9089")
	require.ErrorContains(t, err, `--admin-address "9089" is not HOST:PORT`)
}

func TestLimitsOfTheLibraryAreSettings(t *testing.T) {
	t.Parallel()
	s, end := inProcess(t, "--store", "memory:", "--max-tokens-per-user", "1", "--max-metadata-bytes", "20", "--max-caveats", "2", "--login-failures", "2", "--login-interval", "1h")
	defer end()
	create := func(body string) answer { return s.do("POST", "/user/tokens/named", body, "X-Auth-Token", s.token) }
	require.Contains(t, create(`{"name": "laptop", "customMetadata": {"a": "01234567890123456789"}}`).body, "limitReached")
	require.Equal(t, 201, create(`{"name": "laptop"}`).status)
	require.Contains(t, create(`{"name": "phone"}`).body, "limitReached")
	require.Equal(t, 400, s.do("POST", "/tokens/confine", encoded(t, map[string]any{"token": s.token, "caveats": []map[string]string{
		{"type": "interface", "interface": "rest"}, {"type": "interface", "interface": "oneclient"},
	}})).status, "the token has a time caveat already")
	var statuses []int
	for range 3 {
		statuses = append(statuses, s.do("GET", "/user", "", "Authorization", basic("demo", "a guess")).status)
	}
	require.Equal(t, []int{401, 401, 429}, statuses)
}
