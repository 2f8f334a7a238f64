package gate_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/gate"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
)

func TestOfEachProxyOnlyItsOwnConventionCounts(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	token := bearer(identityOf(h, h.Alice))
	original := func(method, uri string) []string {
		return append([]string{"X-Original-Method", method, "X-Original-Uri", uri}, token...)
	}
	forwarded := func(method, uri string) []string {
		return append([]string{"X-Forwarded-Method", method, "X-Forwarded-Uri", uri}, token...)
	}
	publicly := []string{"X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/me"}
	underscores := append([]string{"X_Original_Method", "GET", "X_Original_Uri", "/me"}, token...)
	for name, c := range map[string]struct {
		proxy, method, target string
		headers               []string
		status                int
	}{
		"nginx":                  {"nginx", "GET", "/", original("GET", "/me?a=b"), 200},
		"nginx, its own path":    {"nginx", "GET", "/me", original("GET", "/other"), 403},
		"nginx, no headers":      {"nginx", "GET", "/me", token, 403},
		"nginx, no method":       {"nginx", "GET", "/me", original("GET", "/me")[2:], 403},
		"nginx, no URI":          {"nginx", "GET", "/me", append(original("GET", "/me")[:2:2], token...), 403},
		"nginx, empty URI":       {"nginx", "GET", "/me", original("GET", ""), 403},
		"nginx, empty method":    {"nginx", "GET", "/me", original("", "/me"), 403},
		"nginx, two URIs":        {"nginx", "GET", "/", append(original("GET", "/me"), "X-Original-Uri", "/me"), 403},
		"nginx, two methods":     {"nginx", "GET", "/", append(original("GET", "/me"), "X-Original-Method", "GET"), 403},
		"nginx, others ignored":  {"nginx", "GET", "/", append(original("GET", "/other"), publicly...), 403},
		"nginx, others for us":   {"nginx", "GET", "/", forwarded("GET", "/me"), 403},
		"nginx, underscore":      {"nginx", "GET", "/", underscores, 403},
		"traefik":                {"traefik", "GET", "/", forwarded("GET", "/me"), 200},
		"traefik, two URIs":      {"traefik", "GET", "/", append(forwarded("GET", "/me"), "X-Forwarded-Uri", "/me"), 403},
		"traefik, nginx's":       {"traefik", "GET", "/", original("GET", "/me"), 403},
		"caddy":                  {"caddy", "GET", "/", forwarded("GET", "/me"), 200},
		"caddy, two methods":     {"caddy", "GET", "/", append(forwarded("GET", "/me"), publicly...), 403},
		"caddy, nginx's":         {"caddy", "GET", "/", original("GET", "/me"), 403},
		"envoy":                  {"envoy", "GET", "/check/me?a=b", token, 200},
		"envoy, method":          {"envoy", "DELETE", "/check/me", token, 403},
		"envoy, no prefix":       {"envoy", "GET", "/me", token, 403},
		"envoy, longer prefix":   {"envoy", "GET", "/checkme", token, 403},
		"envoy, dots":            {"envoy", "GET", "/check/../me", token, 403},
		"envoy, headers ignored": {"envoy", "GET", "/check/other", append(original("GET", "/me"), publicly...), 403},
	} {
		head := "proxy = \"" + c.proxy + "\"\n"
		if c.proxy == "envoy" {
			head += "prefix = \"/check\"\n"
		}
		a := serve(t, h.Authority, head+ruleFile).send(c.method, c.target, c.headers...)
		assert.Equal(t, c.status, a.status, "%s: %v", name, a.err)
	}
	assert.Equal(t, 200, serve(t, h.Authority, "proxy = \"envoy\"\n"+ruleFile).send("GET", "/me", token...).status)
}

func TestOnlyTrustedPeersAreAnswered(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	for name, c := range map[string]struct {
		networks []string
		status   int
	}{
		"none":         {nil, 403},
		"another":      {[]string{"10.0.0.0/8"}, 403},
		"IPv6":         {[]string{"::/0"}, 403},
		"loopback":     {[]string{"10.0.0.0/8", "127.0.0.1/32"}, 200},
		"IPv4 as IPv6": {[]string{"::ffff:127.0.0.0/104"}, 200},
	} {
		var networks []netip.Prefix
		for _, n := range c.networks {
			networks = append(networks, netip.MustParsePrefix(n))
		}
		s := serve(t, h.Authority, nginx+ruleFile, gate.WithTrustedProxies(networks...))
		a := s.ask("GET", "/public/x")
		assert.Equal(t, c.status, a.status, name)
		s.ask("GET", "/public/x")
		logged := strings.Contains(s.log.String(), "trusted proxies")
		assert.Equal(t, c.status != 200, logged, "the log says why: %s", s.log)
		assert.LessOrEqual(t, strings.Count(s.log.String(), "\n"), 1, "and only once")
	}
}

// TestAnAddressThatNoProxySentIsUnknown has a token for the address of the
// proxy.
func TestAnAddressThatNoProxySentIsUnknown(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	s := serve(t, h.Authority, nginx+ruleFile)
	token := bearer(identityOf(h, h.Alice, caveat.MustParse("ip = 127.0.0.0/8")))
	request := append([]string{"X-Original-Method", "GET", "X-Original-Uri", "/me"}, token...)
	assert.Equal(t, http.StatusUnauthorized, s.send("GET", "/", request...).status)
	for _, address := range []string{"", ",", " , ,", "unknown", "127.0.0.1, 10.0.0.1"} {
		a := s.send("GET", "/", append(request, "X-Forwarded-For", address)...)
		assert.Equal(t, http.StatusUnauthorized, a.status, "%v", address)
		assert.ErrorIs(t, a.err, errors.IDTokenCaveatUnverified)
	}
	assert.Equal(t, http.StatusOK, s.send("GET", "/", append(request, "X-Forwarded-For", "127.0.0.1")...).status)
}
