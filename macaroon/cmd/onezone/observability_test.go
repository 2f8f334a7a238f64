package main

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

func TestTheLogNamesTokensByTheirIDsOnly(t *testing.T) {
	t.Parallel()
	s, end := inProcess(t, "--store", "memory:", "--log-level", "debug", "--log-format", "json")
	id, token := s.newToken("a name of a token")
	require.Equal(t, 200, s.verify(token, "127.0.0.1").status)
	require.Equal(t, 400, s.verify(token[:60]+"x"+token[61:], "127.0.0.1").status)
	require.Equal(t, 204, s.do("DELETE", "/user/client_tokens/"+token, "", "X-Auth-Token", s.token).status)
	require.Equal(t, 400, s.verify(token, "127.0.0.1").status)
	require.Equal(t, 404, s.do("GET", "/no/such/"+token, "").status)
	require.Equal(t, 401, s.do("GET", "/user/tokens/named", "", "Authorization", basic("demo", "the wrong password")).status)
	longID := "2/nmd/usr-x/act/" + strings.Repeat("f", 5000)
	require.Equal(t, 400, s.verify(forged(longID), "127.0.0.1").status)
	end()

	log := s.log.String()
	for _, secret := range []string{token, token[len(token)-40:], s.token, "the wrong password", basic("demo", "the wrong password"), strings.Repeat("f", 65)} {
		require.NotContains(t, log, secret)
	}
	var refused, deleted bool
	lines := 0
	for line := range strings.Lines(log) {
		var entry struct{ Msg, Method, Route, Tokens, Refused, Peer string }
		require.NoError(t, json.Unmarshal([]byte(line), &entry), line)
		if entry.Msg != "request" {
			continue
		}
		lines++
		require.NotEmpty(t, entry.Method)
		require.NotEmpty(t, entry.Peer)
		refused = refused || entry.Tokens == id && entry.Refused == "tokenInvalid"
		deleted = deleted || entry.Route == "/api/v3/onezone/user/client_tokens/{tid}" && strings.HasSuffix(entry.Tokens, id)
	}
	require.Equal(t, 8, lines)
	require.True(t, refused, log)
	require.True(t, deleted, log)
}

// Malformed credentials are refused like others, and the line of the request
// has the reason.
func TestTheLogHasTheReasonOfARefusal(t *testing.T) {
	t.Parallel()
	s, end := inProcess(t, "--store", "memory:", "--log-format", "json")
	const hidden = "c3VwZXJzZWNyZXQ"
	var want []string
	for _, c := range []struct{ header, value, reason string }{
		{"X-Auth-Token", hidden, "badToken"},
		{"Authorization", "Bearer " + hidden, "badToken"},
		{"Macaroon", hidden, "badToken"},
		{"Authorization", "Basic ?" + hidden, "badBasicCredentials"},
		{"Authorization", "Basic " + strings.Repeat(hidden, 200), "badBasicCredentials"},
		{"Authorization", basic("demo", hidden), "badBasicCredentials"},
	} {
		require.Equal(t, 401, s.do("GET", "/user", "", c.header, c.value).status, c)
		want = append(want, c.reason)
	}
	end()
	require.NotContains(t, s.log.String(), hidden)
	var reasons []string
	for line := range strings.Lines(s.log.String()) {
		var entry struct{ Msg, Refused string }
		require.NoError(t, json.Unmarshal([]byte(line), &entry), line)
		if entry.Msg == "request" {
			reasons = append(reasons, entry.Refused)
		}
	}
	require.Equal(t, want, reasons)
}

// Behind a proxy, a line has the addresses of the client and of the proxy.
func TestTheLogHasClientAddresses(t *testing.T) {
	t.Parallel()
	s, end := inProcess(t, "--store", "memory:", "--log-format", "json", "--trusted-proxies", "::ffff:127.0.0.1")
	for _, forwarded := range []string{"203.0.113.7:51008", "[2001:db8::1]:4711", "unknown"} {
		require.Equal(t, 401, s.do("GET", "/user", "", "X-Forwarded-For", forwarded).status)
	}
	end()
	var clients []string
	for line := range strings.Lines(s.log.String()) {
		var entry struct{ Msg, Client, Peer string }
		require.NoError(t, json.Unmarshal([]byte(line), &entry), line)
		if entry.Msg == "request" {
			clients = append(clients, entry.Client)
			require.Regexp(t, `^127\.0\.0\.1:[0-9]+$`, entry.Peer)
		}
	}
	require.Equal(t, []string{"203.0.113.7", "2001:db8::1", ""}, clients)
}

// No control characters or changes of direction from a client reach the
// terminal of a reader of the log.
func TestNoControlCharacterReachesTheLog(t *testing.T) {
	t.Parallel()
	const turned = "x\u202e\u2066\u200b\ufeff\U000e0041y" // ids may hold them
	for _, format := range []string{"json", "text"} {
		s, end := inProcess(t, "--store", "memory:", "--log-level", "debug", "--log-format", format)
		require.Equal(t, 400, s.verify(forged(turned), "127.0.0.1").status)
		s.do("GET", "/tokens/named/"+url.PathEscape(turned), "", "X-Forwarded-For", turned, "X-Auth-Token", forged(turned))
		s.do("GET", "/user/tokens/named", "", "Authorization", basic("demo"+turned+"\x1b[2J\x7f", "wrong"), "X-Request-Id", "\u202e")
		end()
		log := s.log.String()
		require.Contains(t, log, `\u202e`, "the id is logged")
		for i, r := range log {
			require.True(t, unicode.IsPrint(r) || r == '\n', "%U at byte %d of %q", r, i, log)
		}
		if format == "json" {
			for line := range strings.Lines(log) {
				require.True(t, json.Valid([]byte(line)), line)
			}
		}
	}
}

func TestTheLogLevelTurnsTheAccessLogOff(t *testing.T) {
	t.Parallel()
	s, end := inProcess(t, "--store", "memory:", "--log-level", "warn")
	require.Equal(t, 200, s.verify(s.token, "127.0.0.1").status)
	end()
	require.Empty(t, s.log.String())
}

func TestMetricsCountWhatTheServiceDid(t *testing.T) {
	t.Parallel()
	s, end := inProcess(t, "--store", "sqlite:"+t.TempDir()+"/onezone.db")
	defer end()
	id, token := s.newToken("laptop")
	for range 5 {
		require.Equal(t, 200, s.verify(token, "127.0.0.1").status)
	}
	require.Equal(t, 204, s.do("PATCH", "/tokens/named/"+id, `{"revoked": true}`, "X-Auth-Token", s.token).status)
	require.Equal(t, 400, s.verify(token, "127.0.0.1").status)
	scraped := s.metrics()
	for _, line := range []string{
		`onezone_tokens_issued_total{type="access"} 2`,
		`onezone_tokens_verified_total{type="access"} 7`,
		`onezone_tokens_refused_total{reason="tokenRevoked"} 1`,
		`onezone_tokens_revoked_total 1`,
		`onezone_store_duration_seconds_count{operation="CreateToken",outcome="ok"} 1`,
		`onezone_cache_feed_up 1`,
	} {
		require.Contains(t, scraped, "\n"+line+"\n")
	}
	require.Regexp(t, `\nonezone_cache_hits_total [1-9]`, scraped)
	require.Contains(t, scraped, "process_resident_memory_bytes")
	for _, secret := range []string{id, token, "demo", "laptop"} {
		require.NotContains(t, scraped, secret)
	}
}

func TestTheServicesOwnPathsAreForReading(t *testing.T) {
	t.Parallel()
	s, end := inProcess(t, "--store", "memory:")
	defer end()
	for at, base := range map[string]string{"/healthz": s.url, "/readyz": s.url, "/metrics": s.admin, "/healthz ": s.admin, "/readyz ": s.admin} {
		path := strings.TrimSpace(at)
		for method, status := range map[string]int{"GET": 200, "HEAD": 200, "OPTIONS": 204, "POST": 405} {
			a := s.ask(base, method, path, "")
			require.Equal(t, status, a.status, "%s %s", method, path)
			require.Equal(t, "no-store", a.header.Get("Cache-Control"), "%s %s", method, path)
			if status != 200 {
				require.Equal(t, "GET, HEAD, OPTIONS", a.header.Get("Allow"))
			}
		}
		require.Equal(t, 404, s.ask(base, "GET", path+"/", "").status)
	}
	require.Equal(t, 404, s.get("GET", "/other", "").status)
	require.Equal(t, 404, s.get("GET", "//api/v3/onezone/user/client_tokens", "").status, "no redirect, which would take credentials along")
}
