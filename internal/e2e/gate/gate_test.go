//go:build e2e

package gate_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
)

// site is a program that a proxy and the gate protect.
type site struct {
	t       *testing.T
	proxy   string // its name
	address string // of the proxy
	rules   string // file
	gate    *process
	onezone *macaroontest.Remote
}

func newSite(t *testing.T, proxy string) *site {
	t.Helper()
	s := &site{t: t, proxy: proxy, onezone: macaroontest.NewRemote(t), rules: filepath.Join(t.TempDir(), "rules.toml")}
	s.writeRules(block(t, "rules"))
	var gate string
	s.gate, gate = startGate(t, s.rules, s.onezone.Origin)
	s.address = startProxy(t, proxy, gate, startPython(t))
	return s
}

// writeRules writes a file of rules for nginx, changed for the proxy.
func (s *site) writeRules(text string) {
	s.t.Helper()
	require.Contains(s.t, text, `proxy = "nginx"`)
	text = strings.Replace(text, `proxy = "nginx"`, `proxy = "`+s.proxy+`"`, 1)
	require.NoError(s.t, os.WriteFile(s.rules, []byte(text), 0o600))
}

// answer is what a client received.
type answer struct {
	status int
	textproto.MIMEHeader
	seen *seen // by the program; nil if the request did not reach it
}

// seen is the request that reached the program.
type seen struct {
	Method  string
	Target  string
	Headers [][2]string
}

// values returns the values of a header, whose name is written as in CGI.
func (s *seen) values(name string) []string {
	var values []string
	for _, h := range s.Headers {
		if h[0] == name {
			values = append(values, h[1])
		}
	}
	return values
}

// identity returns the identity that the program sees. It fails the test if a
// header is there twice.
func (s *site) identity(a answer) [3]string {
	s.t.Helper()
	require.NotNil(s.t, a.seen, "the request did not reach the program: status %d", a.status)
	var identity [3]string
	for i, name := range []string{"REMOTE_USER", "X_ONEZONE_SUBJECT", "X_ONEZONE_TOKEN_ID"} {
		values := a.seen.values(name)
		require.LessOrEqual(s.t, len(values), 1, name)
		identity[i] = strings.Join(values, "")
	}
	return identity
}

// curl sends a request with curl. The path is sent as it is.
func (s *site) curl(method, path string, headers ...string) answer {
	s.t.Helper()
	args := []string{"-s", "-S", "-i", "--path-as-is", "--max-time", "20", "-X", method}
	if method == http.MethodPut {
		args = append(args, "-d", "content")
	}
	for _, h := range headers {
		args = append(args, "-H", h)
	}
	var stdout, stderr bytes.Buffer
	c := exec.Command(installed(s.t, "curl", "curl"), append(args, "http://"+s.address+path)...)
	c.Stdout, c.Stderr = &stdout, &stderr
	require.NoError(s.t, c.Run(), stderr.String())
	in := textproto.NewReader(bufio.NewReader(&stdout))
	line, err := in.ReadLine()
	require.NoError(s.t, err)
	var a answer
	a.status, err = strconv.Atoi(strings.Fields(line)[1])
	require.NoError(s.t, err)
	a.MIMEHeader, err = in.ReadMIMEHeader()
	require.NoError(s.t, err)
	if a.status == http.StatusOK {
		require.NoError(s.t, json.NewDecoder(in.R).Decode(&a.seen))
	}
	return a
}

func bearer(token macaroon.Token) string { return "Authorization: Bearer " + token.String() }

// alice returns an identity token of Alice.
func (s *site) alice(cs ...caveat.Caveat) macaroon.Token {
	return s.onezone.TokenOf(s.onezone.Alice, macaroon.IdentityToken(), cs...)
}

func TestBehindNginx(t *testing.T) { t.Parallel(); testSite(t, "nginx") }
func TestBehindCaddy(t *testing.T) { t.Parallel(); testSite(t, "caddy") }

func testSite(t *testing.T, proxy string) {
	s := newSite(t, proxy)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *site)
	}{
		{"no token", testNoToken},
		{"good tokens", testGoodTokens},
		{"refused tokens", testRefusedTokens},
		{"revoked", testRevoked},
		{"spoofed headers", testSpoofedHeaders},
		{"paths", testPaths},
		{"reload", testReload},
		{"Onezone down", testOnezoneDown},
		{"gate down", testGateDown},
	} {
		t.Run(test.name, func(t *testing.T) {
			part := *s
			part.t = t
			test.run(t, &part)
		})
	}
}

func testNoToken(t *testing.T, s *site) {
	a := s.curl("GET", "/me")
	assert.Equal(t, 401, a.status)
	assert.Equal(t, `Bearer realm="onezone"`, a.Get("WWW-Authenticate"))
	a = s.curl("GET", "/public/index.html?page=2")
	assert.Equal(t, [3]string{}, s.identity(a))
	assert.Equal(t, "/public/index.html?page=2", a.seen.Target)
	assert.Equal(t, 403, s.curl("GET", "/other").status)
	assert.Equal(t, 403, s.curl("PUT", "/public/index.html").status)
}

func testGoodTokens(t *testing.T, s *site) {
	token := s.alice()
	a := s.curl("GET", "/me", bearer(token))
	assert.Equal(t, [3]string{s.onezone.Alice.ID, s.onezone.Alice.String(), token.ID()}, s.identity(a))
	for _, header := range []string{"Authorization: Bearer ", "X-Auth-Token: ", "Macaroon: "} {
		a = s.curl("GET", "/me", header+token.String())
		if assert.Equal(t, 200, a.status, header) {
			for _, h := range a.seen.Headers {
				assert.NotContains(t, h[1], token.String(), "the program receives the token in %s", h[0])
			}
		}
	}

	token = s.onezone.Token(caveat.DataPath{"/s1/dir"})
	a = s.curl("PUT", "/files/s1/dir/a%20b.txt", bearer(token))
	assert.Equal(t, [3]string{s.onezone.Alice.ID, s.onezone.Alice.String(), token.ID()}, s.identity(a))
	assert.Equal(t, "PUT", a.seen.Method)
	assert.Equal(t, "/files/s1/dir/a%20b.txt", a.seen.Target)

	readonly := bearer(s.onezone.Token(caveat.DataReadonly{}))
	assert.Equal(t, 200, s.curl("GET", "/files/s1/a.txt", readonly).status)
	near := bearer(s.alice(caveat.MustParse("ip = 127.0.0.1/32")))
	assert.Equal(t, 200, s.curl("GET", "/me", near).status)
}

func testRefusedTokens(t *testing.T, s *site) {
	for name, c := range map[string]struct {
		method, path string
		token        string
		status       int
		code         string
	}{
		"garbage":          {"GET", "/me", "Authorization: Bearer x", 401, "invalid_token"},
		"forged":           {"GET", "/files/s1/a", bearer(s.onezone.Forged()), 401, "invalid_token"},
		"access token":     {"GET", "/me", bearer(s.onezone.Token()), 401, "invalid_token"},
		"wrong path":       {"GET", "/files/s1/other", bearer(s.onezone.Token(caveat.DataPath{"/s1/dir"})), 401, "insufficient_scope"},
		"wrong space":      {"GET", "/files/s2/dir", bearer(s.onezone.Token(caveat.DataPath{"/s1/dir"})), 401, "insufficient_scope"},
		"wrong operation":  {"PUT", "/files/s1/a", bearer(s.onezone.Token(caveat.MustParse("api = opw/get/file.s1.content"))), 401, "insufficient_scope"},
		"read-only on PUT": {"PUT", "/files/s1/a", bearer(s.onezone.Token(caveat.DataReadonly{})), 401, "insufficient_scope"},
		"not listed":       {"GET", "/admin/users", bearer(s.alice()), 403, ""},
		"other address":    {"GET", "/me", bearer(s.alice(caveat.MustParse("ip = 10.1.2.3/32"))), 401, "invalid_token"},
	} {
		a := s.curl(c.method, c.path, c.token)
		assert.Equal(t, c.status, a.status, name)
		if c.code != "" {
			assert.Equal(t, `Bearer realm="onezone", error="`+c.code+`"`, a.Get("WWW-Authenticate"), name)
		}
	}
}

func testRevoked(t *testing.T, s *site) {
	token := s.alice()
	require.Equal(t, 200, s.curl("GET", "/me", bearer(token)).status)
	require.NoError(t, s.onezone.Authority.Revoke(t.Context(), token.ID()))
	a := s.curl("GET", "/me", bearer(token))
	assert.Equal(t, 401, a.status)
	assert.Contains(t, a.Get("WWW-Authenticate"), `error="invalid_token"`)
}

// testSpoofedHeaders sends headers that the proxy or the gate sets.
func testSpoofedHeaders(t *testing.T, s *site) {
	token := s.alice()
	alice := [3]string{s.onezone.Alice.ID, s.onezone.Alice.String(), token.ID()}
	spoofed := []string{"Remote-User: admin", "X-Onezone-Subject: usr-admin", "X-Onezone-Token-Id: 1"}
	assert.Equal(t, [3]string{}, s.identity(s.curl("GET", "/public/x", spoofed...)))
	assert.Equal(t, alice, s.identity(s.curl("GET", "/me", append(spoofed, bearer(token))...)))
	assert.Equal(t, alice, s.identity(s.curl("GET", "/me", append(spoofed, append(spoofed, bearer(token))...)...)), "sent twice")

	// CGI and WSGI do not distinguish underscores from dashes.
	for _, h := range []string{"Remote_User: admin", "X_Onezone_Subject: usr-admin", "x-onezone_subject: usr-admin", "X_ONEZONE_TOKEN_ID: 1"} {
		if a := s.curl("GET", "/me", h, bearer(token)); a.status != 403 {
			assert.Equal(t, alice, s.identity(a), h)
		}
		if a := s.curl("GET", "/public/x", h); a.status != 403 {
			assert.Equal(t, [3]string{}, s.identity(a), h)
		}
	}
	// In another protocol, the program would receive requests that the gate does not see.
	if a := s.curl("GET", "/public/x", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"); a.status != 403 {
		require.NotNil(t, a.seen, a.status)
		assert.Empty(t, a.seen.values("UPGRADE"))
	}
	// The client names the headers of the gate as those that end at the proxy.
	for _, h := range []string{"Connection: close, Remote-User, X-Onezone-Subject", "Connection: x-onezone-token-id"} {
		if a := s.curl("GET", "/me", h, bearer(token)); a.status != 403 {
			assert.Equal(t, alice, s.identity(a), h)
		}
	}
	// Another method, path or address for the gate than for the program.
	for _, h := range []string{
		"X-Original-URI: /public/x", "X-Original-Uri: /public/x", "X_Original_URI: /public/x", "X-Forwarded-Uri: /public/x", "X-Forwarded-URI: /public/x",
		"X-Original-URL: /public/x", "X-Rewrite-URL: /public/x", "Connection: X-Original-URI, X-Forwarded-Uri",
	} {
		assert.Contains(t, []int{401, 403}, s.curl("GET", "/me", h).status, h)
		a := s.curl("GET", "/public/x", strings.ReplaceAll(h, "/public/x", "/me"))
		assert.Contains(t, []int{200, 403}, a.status, h)
	}
	readonly := bearer(s.onezone.Token(caveat.DataReadonly{}))
	for _, h := range []string{"X-Original-Method: GET", "X-Forwarded-Method: GET", "X_Original_Method: GET"} {
		assert.Equal(t, 401, s.curl("PUT", "/files/s1/a", h, readonly).status, h)
	}
	for _, h := range []string{"X-HTTP-Method-Override: PUT", "X-Method-Override: PUT", "X-HTTP-Method: PUT"} {
		assert.Equal(t, 403, s.curl("GET", "/files/s1/a", h, readonly).status, h)
	}
	away := bearer(s.alice(caveat.MustParse("ip = 10.1.2.3/32")))
	for _, h := range []string{"X-Forwarded-For: 10.1.2.3", "X-Real-IP: 10.1.2.3", "Forwarded: for=10.1.2.3", "Connection: X-Forwarded-For"} {
		assert.Equal(t, 401, s.curl("GET", "/me", h, away).status, h)
	}
	assert.Contains(t, []int{400, 401}, s.curl("GET", "/me", bearer(token), bearer(token)).status, "two tokens")
}

// testPaths sends paths that could mean the protected part of the program.
func testPaths(t *testing.T, s *site) {
	for _, path := range []string{
		"/public/../admin/x", "/public/./../admin", "/public/%2e%2e/admin/x", "/public/%2E%2E/admin", "/public/.%2e/admin", "/public/..%2fadmin",
		"/public/%2e%2e%2fadmin", "/public%2f..%2fadmin", "/public%2fx", "//public/x", "/public//x", "/public//../admin", "/public/..;/admin",
		"/public;/../admin", "/public/x;y", `/public/..\admin`, "/public/%5c..%5cadmin", "/public/..%5cadmin", "/public/x%00", "/public/%00/../admin",
		"/public/%252e%252e/admin", "/public/%252fadmin", "/public/%c0%ae%c0%ae/admin", "/public/%ff", "/public/x%0a", "/public/x%0d%0aRemote-User:%20admin",
		"/public/%", "/public/%zz", "/public/..", "/public/../", "/PUBLIC/x", "/%70ublic%2fx", "/admin/../public/..", "/public/x%3b/..",
	} {
		a := s.curl("GET", path)
		assert.Contains(t, []int{400, 401, 403}, a.status, path)
		assert.Nil(t, a.seen, path)
	}
	// What is the same path for everybody passes, as the client wrote it.
	for _, path := range []string{"/public", "/public/", "/%70ublic/x", "/public/a%20b", "/public/x?next=/../admin&a=%2f;", "/public/%E2%82%AC", "/public/..."} {
		a := s.curl("GET", path)
		if assert.Equal(t, 200, a.status, path) {
			assert.Equal(t, path, a.seen.Target)
		}
	}
	assert.Equal(t, 401, s.curl("GET", "/admin/").status)
	assert.Equal(t, 401, s.curl("GET", "/%61dmin/x").status)
}

func testReload(t *testing.T, s *site) {
	require.NoError(t, os.WriteFile(s.rules, []byte("proxy = \"nginx\"\n[[rule]]\npaht = \"/new\"\n"), 0o600))
	require.NoError(t, s.gate.Process.Signal(syscall.SIGHUP))
	eventually(t, func() bool { return strings.Contains(s.gate.log.String(), "kept the old rules") }, "the gate refuses the file")
	assert.Contains(t, s.gate.log.String(), `rules.toml:3: paht: unknown key; did you mean \"path\"?`)
	assert.Equal(t, 200, s.curl("GET", "/public/x").status)
	assert.Equal(t, 403, s.curl("GET", "/new").status)

	s.writeRules(block(t, "rules") + "\n[[rule]]\npath = \"/new\"\nmethods = [\"GET\"]\nallow = [\"anonymous\"]\n")
	require.NoError(t, s.gate.Process.Signal(syscall.SIGHUP))
	eventually(t, func() bool { return s.curl("GET", "/new").status == 200 }, "the gate has the new rules")
}

func testOnezoneDown(t *testing.T, s *site) {
	token := s.alice()
	require.Equal(t, 200, s.curl("GET", "/me", bearer(token)).status)
	s.onezone.Stop()
	a := s.curl("GET", "/me", bearer(token))
	assert.Equal(t, 503, a.status)
	assert.NotEmpty(t, a.Get("Retry-After"))
	assert.Equal(t, 200, s.curl("GET", "/public/x", bearer(token)).status)
	assert.Equal(t, 401, s.curl("GET", "/me").status)
	s.onezone.Start()
	eventually(t, func() bool { return s.curl("GET", "/me", bearer(token)).status == 200 }, "the gate works again")
	assert.NotContains(t, s.gate.log.String(), token.String())
	assert.NotContains(t, s.gate.log.String(), "/public/x")
}

func testGateDown(t *testing.T, s *site) {
	s.gate.stop()
	down := map[string]int{"nginx": 503, "caddy": 502}[s.proxy]
	assert.Equal(t, down, s.curl("GET", "/me", bearer(s.alice())).status)
	assert.Equal(t, down, s.curl("GET", "/public/x").status)
}
