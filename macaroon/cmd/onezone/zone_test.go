package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The default is the maximum of Onezone, 30 days.
func TestTemporaryTokensLastUpToThirtyDays(t *testing.T) {
	t.Parallel()
	issue := func(s *server, ttl time.Duration) answer {
		body := fmt.Sprintf(`{"caveats":[{"type":"time","validUntil":%d}]}`, time.Now().Add(ttl).Unix())
		return s.do("POST", "/user/tokens/temporary", body, "X-Auth-Token", s.token)
	}
	s, end := inProcess(t, "--store", "memory:")
	defer end()
	require.Equal(t, 201, issue(s, 30*24*time.Hour).status)
	a := issue(s, 30*24*time.Hour+time.Minute)
	require.Equal(t, 400, a.status)
	require.Contains(t, a.body, `"maxTtl":2592000`)

	short, endShort := inProcess(t, "--store", "memory:", "--max-temporary-ttl", "2h")
	defer endShort()
	require.Contains(t, issue(short, 3*time.Hour).body, `"maxTtl":7200`)
}

func TestServiceDescribesItself(t *testing.T) {
	t.Parallel()
	s, end := inProcess(t, "--store", "memory:", "--domain", "onezone.example.com")
	defer end()
	a := s.do("GET", "/configuration", "")
	require.Equal(t, 200, a.status)
	require.Equal(t, "onezone.example.com", field(t, a.body, "domain"))
	require.NotEmpty(t, field(t, a.body, "version"))
	a = s.do("GET", "/user", "", "X-Auth-Token", s.token)
	require.Equal(t, 200, a.status)
	require.Equal(t, "demo", field(t, a.body, "username"))
}

func TestPagesOfAllowedOriginsMayUseTheService(t *testing.T) {
	t.Parallel()
	s, end := inProcess(t, "--store", "memory:", "--allowed-origins", "https://app.example.com,https://other.example.com")
	defer end()
	for origin, want := range map[string]string{"https://other.example.com": "DELETE, GET, HEAD, OPTIONS, POST", "https://evil.example.com": ""} {
		a := s.do("OPTIONS", "/user/tokens/named", "", "Origin", origin, "Access-Control-Request-Method", "POST")
		require.Equal(t, 204, a.status)
		require.Equal(t, want, a.header.Get("Access-Control-Allow-Methods"), origin)
	}
}
