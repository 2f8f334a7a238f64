package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLocationsLeadToTheService(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ args, origin string }{
		{"", "URL"},
		{"--domain onezone.example.com", "https://onezone.example.com"},
		{"--domain onezone.example.com --origin https://other.example.com:8443", "https://other.example.com:8443"},
	} {
		s, end := inProcess(t, append([]string{"--store", "memory:"}, strings.Fields(c.args)...)...)
		a := s.do("POST", "/user/tokens/named", `{"name": "laptop"}`, "X-Auth-Token", s.token)
		require.Equal(t, 201, a.status)
		want := strings.Replace(c.origin, "URL", s.url, 1) + "/api/v3/onezone/tokens/named/" + field(t, a.body, "tokenId")
		require.Equal(t, want, a.header.Get("Location"), c.args)
		end()
	}
}

func TestTheAddressOfAClientIsThatOfTheConnectionUnlessAProxyIsTrusted(t *testing.T) {
	t.Parallel()
	for proxies, status := range map[string]int{"": 401, "127.0.0.0/8": 200} {
		args := []string{"--store", "memory:"}
		if proxies != "" {
			args = append(args, "--trusted-proxies", proxies)
		}
		s, end := inProcess(t, args...)
		a := s.do("POST", "/tokens/confine", encoded(t, map[string]any{
			"token": s.token, "caveats": []map[string]any{{"type": "ip", "whitelist": []string{"192.0.2.1/32"}}},
		}))
		require.Equal(t, 200, a.status, a.body)
		a = s.do("GET", "/user/tokens/named", "", "X-Auth-Token", field(t, a.body, "token"), "X-Forwarded-For", "192.0.2.1")
		require.Equal(t, status, a.status, a.body)
		end()
	}
}
