package gate_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/gate"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
)

var loopback = gate.WithTrustedProxies(netip.MustParsePrefix("127.0.0.0/8"))

// ruleFile has a rule of each kind.
const ruleFile = `
[[rule]]
path = "/public/{rest...}"
methods = ["GET"]
allow = ["anonymous"]

[[rule]]
path = "/me"
methods = ["GET"]
allow = ["client"]

[[rule]]
path = "/admin/{rest...}"
methods = ["*"]
allow = ["usr-admin", "prv-p-krakow"]

[[rule]]
path = "/files/{space}/{path...}"
methods = ["GET"]
allow = ["client"]
api = "opw/get/file.{space}.content"
read = "/{space}/{path}"

[[rule]]
path = "/files/{space}/{path...}"
methods = ["PUT", "DELETE"]
allow = ["client"]
api = "opw/update/file.{space}.content"
write = "/{space}/{path}"

[[rule]]
path = "/jobs/{id}"
methods = ["POST"]
allow = ["client"]
api = "opw/create/op_transfer.{id}.instance"
`

// server is a gate on a real socket.
type server struct {
	t   *testing.T
	url string
	log *syncbuffer.Buffer
	*gate.Gate
}

func serve(t *testing.T, v macaroon.Verifier, text string, options ...gate.Option) server {
	t.Helper()
	s := server{t: t, log: &syncbuffer.Buffer{}}
	log := gate.WithLogger(s.log.Logger())
	var err error
	s.Gate, err = gate.New(v, parse(t, text), append([]gate.Option{loopback, log}, options...)...)
	require.NoError(t, err)
	listening := httptest.NewServer(s.Gate)
	t.Cleanup(listening.Close)
	s.url = listening.URL
	return s
}

// answer is what the gate answered.
type answer struct {
	status int
	http.Header
	err *errors.Error
}

// identity returns the identity headers of the answer.
func (a answer) identity() [3]string {
	return [3]string{a.Get("Remote-User"), a.Get("X-Onezone-Subject"), a.Get("X-Onezone-Token-Id")}
}

// send sends a request to the gate. The headers are names and values in turn.
func (s server) send(method, target string, headers ...string) answer {
	s.t.Helper()
	r, err := http.NewRequest(method, s.url+target, nil)
	require.NoError(s.t, err)
	for i := 0; i < len(headers); i += 2 {
		r.Header[headers[i]] = append(r.Header[headers[i]], headers[i+1]) // not canonical, as others may write them
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(s.t, err)
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	a := answer{status: res.StatusCode, Header: res.Header}
	if len(body) > 0 {
		var envelope errors.Envelope
		require.NoError(s.t, json.Unmarshal(body, &envelope), "%s", body)
		a.err = envelope.Error
	}
	return a
}

// ask asks as nginx does.
func (s server) ask(method, target string, headers ...string) answer {
	s.t.Helper()
	asked := []string{"X-Original-Method", method, "X-Original-Uri", target, "X-Forwarded-For", "10.0.0.1"}
	return s.send("GET", "/", append(asked, headers...)...)
}

// bearer returns the headers with a token.
func bearer(token macaroon.Token) []string {
	return []string{"Authorization", "Bearer " + token.String()}
}

func identityOf(h *macaroontest.Harness, subject caveat.Subject, cs ...caveat.Caveat) macaroon.Token {
	return h.TokenOf(subject, macaroon.IdentityToken(), cs...)
}

func TestGoodTokensPassWithTheIdentity(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	s := serve(t, h.Authority, nginx+ruleFile)
	admin, err := h.Authority.CreateUser(t.Context(), macaroon.NewUser{ID: "admin"})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		method, target string
		token          macaroon.Token
	}{
		"identity token":           {"GET", "/me", identityOf(h, h.Alice)},
		"HEAD as GET":              {"HEAD", "/me", identityOf(h, h.Alice)},
		"listed user":              {"PATCH", "/admin/x", identityOf(h, admin)},
		"access token":             {"POST", "/jobs/7", h.Token()},
		"confined to operation":    {"POST", "/jobs/7", h.Token(caveat.MustParse("api = opw/create/op_transfer.*.*"))},
		"file":                     {"GET", "/files/s1/a/b", h.Token()},
		"confined to directory":    {"PUT", "/files/s1/a/b", h.Token(caveat.DataPath{"/s1/a"})},
		"confined to space":        {"GET", "/files/s1/", h.Token(caveat.DataPath{"/s1"})},
		"read-only":                {"GET", "/files/s1/a/b", h.Token(caveat.DataReadonly{})},
		"confined to file's space": {"GET", "/files/s1/a", h.Token(caveat.MustParse("api = opw/get/file.s1.content"))},
		"address":                  {"GET", "/me", identityOf(h, h.Alice, caveat.MustParse("ip = 10.0.0.1/32"))},
	} {
		a := s.ask(c.method, c.target, bearer(c.token)...)
		require.Equal(t, http.StatusOK, a.status, "%s: %v", name, a.err)
		subject := c.token.Subject()
		assert.Equal(t, [3]string{subject.ID, subject.String(), c.token.ID()}, a.identity(), name)
		assert.Equal(t, "no-store", a.Get("Cache-Control"))
	}
	// Each header that carries a token may be used.
	token := identityOf(h, h.Alice).String()
	assert.Equal(t, http.StatusOK, s.ask("GET", "/me", "X-Auth-Token", token).status)
	assert.Equal(t, http.StatusOK, s.ask("GET", "/me", "Macaroon", token).status)
}

func TestAOneproviderIsNoUser(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	s := serve(t, h.Authority, nginx+ruleFile)
	token := identityOf(h, h.Provider)
	a := s.ask("GET", "/admin", bearer(token)...)
	require.Equal(t, http.StatusOK, a.status, "%v", a.err)
	assert.Equal(t, [3]string{"", "prv-p-krakow", token.ID()}, a.identity())
	assert.Contains(t, a.Header, "Remote-User")
}

func TestAnonymousRequestsPassWithoutAnIdentity(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	s := serve(t, h.Authority, nginx+ruleFile)
	for _, headers := range [][]string{
		nil, bearer(h.Token()), bearer(h.Revoked()), {"Authorization", "Basic Zm9vOmJhcg=="},
		{"Remote-User", "admin", "X-Onezone-Subject", "usr-admin"},
	} {
		a := s.ask("GET", "/public/index.html", headers...)
		require.Equal(t, http.StatusOK, a.status, "%v", a.err)
		for _, name := range []string{"Remote-User", "X-Onezone-Subject", "X-Onezone-Token-Id"} {
			// The header is present, so that the proxy replaces that of the client.
			assert.Equal(t, []string{""}, a.Values(name))
		}
	}
}

func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	s := serve(t, h.Authority, nginx+ruleFile)
	alice := identityOf(h, h.Alice)
	elsewhere := bearer(identityOf(h, h.Alice, caveat.MustParse("ip = 10.0.0.2/32")))
	otherOperation := bearer(h.Token(caveat.MustParse("api = opw/get/op_transfer.7.instance")))
	otherResource := bearer(h.Token(caveat.MustParse("api = opw/create/op_transfer.8.instance")))
	inDirectory, readonly := bearer(h.Token(caveat.DataPath{"/s1/a"})), bearer(h.Token(caveat.DataReadonly{}))
	const (
		unverified = errors.IDTokenCaveatUnverified

		noToken = `Bearer realm="onezone"`
		invalid = noToken + `, error="invalid_token"`
		scope   = noToken + `, error="insufficient_scope"`
	)
	for name, c := range map[string]struct {
		method, target string
		headers        []string
		challenge      string // "" for 403
		id             errors.ID
	}{
		"no token":              {"GET", "/me", nil, noToken, errors.IDUnauthorized},
		"no token for the api":  {"POST", "/jobs/7", nil, noToken, errors.IDUnauthorized},
		"garbage":               {"GET", "/me", []string{"Authorization", "Bearer x"}, invalid, errors.IDBadToken},
		"empty":                 {"GET", "/me", []string{"Authorization", "Bearer "}, invalid, errors.IDBadToken},
		"forged":                {"POST", "/jobs/7", bearer(h.Forged()), invalid, errors.IDTokenInvalid},
		"revoked":               {"POST", "/jobs/7", bearer(h.Revoked()), invalid, errors.IDTokenRevoked},
		"expired":               {"POST", "/jobs/7", bearer(h.Expired()), invalid, unverified},
		"two tokens":            {"GET", "/me", append(bearer(alice), bearer(alice)...), invalid, errors.IDBadToken},
		"password":              {"GET", "/me", []string{"Authorization", "Basic YTpi"}, invalid, errors.IDBasicAuthNotSupported},
		"access for identity":   {"GET", "/me", bearer(h.Token()), invalid, errors.IDNotAnIdentityToken},
		"identity for access":   {"POST", "/jobs/7", bearer(alice), invalid, errors.IDNotAnAccessToken},
		"another address":       {"GET", "/me", elsewhere, invalid, unverified},
		"another operation":     {"POST", "/jobs/7", otherOperation, scope, unverified},
		"another resource":      {"POST", "/jobs/7", otherResource, scope, unverified},
		"another directory":     {"GET", "/files/s1/b", inDirectory, scope, unverified},
		"directory above":       {"GET", "/files/s1", inDirectory, scope, unverified},
		"similar directory":     {"GET", "/files/s1/ab", inDirectory, scope, unverified},
		"read-only on PUT":      {"PUT", "/files/s1/a", readonly, scope, unverified},
		"data without read":     {"POST", "/jobs/7", readonly, invalid, unverified},
		"a user not listed":     {"GET", "/admin/x", bearer(alice), "", errors.IDForbidden},
		"no rule for path":      {"GET", "/other", bearer(alice), "", errors.IDForbidden},
		"no rule for method":    {"POST", "/me", bearer(alice), "", errors.IDForbidden},
		"unknown method":        {"MOVE", "/admin/x", bearer(alice), "", errors.IDForbidden},
		"dots":                  {"GET", "/public/../me", nil, "", errors.IDForbidden},
		"encoded slash":         {"GET", "/public/..%2Fme", nil, "", errors.IDForbidden},
		"override of method":    {"GET", "/public/", []string{"X-HTTP-Method-Override", "PUT"}, "", errors.IDForbidden},
		"override of path":      {"GET", "/public/", []string{"X-Rewrite-URL", "/admin"}, "", errors.IDForbidden},
		"override of path, IIS": {"GET", "/public/", []string{"X-Original-URL", "/admin"}, "", errors.IDForbidden},
		"spelled Remote_User":   {"GET", "/public/", []string{"Remote_User", "admin"}, "", errors.IDForbidden},
		"spelled Remote.User":   {"GET", "/public/", []string{"Remote.User", "admin"}, "", errors.IDForbidden},
		"override with a dot":   {"GET", "/public/", []string{"X-HTTP-Method.Override", "PUT"}, "", errors.IDForbidden},
		"HTTP/2 upgrade":        {"GET", "/public/", []string{"Connection", "Upgrade", "Upgrade", "h2c"}, "", errors.IDForbidden},
		"one of two upgrades":   {"GET", "/public/", []string{"Connection", "Upgrade", "Upgrade", "websocket, h2c"}, "", errors.IDForbidden},
		"two upgrades":          {"GET", "/public/", []string{"Connection", "Upgrade", "Upgrade", "websocket", "Upgrade", "h2c"}, "", errors.IDForbidden},
		"spelled x_onezone":     {"GET", "/public/", []string{"x_onezone-subject", "usr-admin"}, "", errors.IDForbidden},
	} {
		a := s.ask(c.method, c.target, c.headers...)
		require.NotNil(t, a.err, name)
		assert.ErrorIs(t, a.err, c.id, name)
		assert.Equal(t, c.challenge, a.Get("WWW-Authenticate"), name)
		assert.Equal(t, a.err.HTTPStatus(), a.status, "%s: the status is that of the catalogue", name)
		assert.Equal(t, c.challenge == "", a.status == http.StatusForbidden, name)
		assert.Equal(t, [3]string{}, a.identity(), name)
		assert.Equal(t, "no-store", a.Get("Cache-Control"), name)
	}
}

func TestWebSocketsMayPass(t *testing.T) {
	t.Parallel()
	s := serve(t, macaroontest.New(t).Authority, nginx+ruleFile)
	assert.Equal(t, http.StatusOK, s.ask("GET", "/public/x", "Connection", "Upgrade", "Upgrade", "WebSocket").status)
}

// outage is a verifier whose Onezone is down.
type outage struct{ err error }

func (o outage) VerifyAccess(context.Context, string, caveat.Request) (macaroon.Auth, error) {
	return macaroon.Auth{}, o.err
}
func (o outage) VerifyIdentity(context.Context, string, caveat.Request) (macaroon.Auth, error) {
	return macaroon.Auth{}, o.err
}
func (o outage) VerifyInvite(context.Context, string, macaroon.InviteType, caveat.Request) (macaroon.Auth, error) {
	return macaroon.Auth{}, o.err
}

func TestWhileTheVerifierIsDown(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	for _, down := range []error{errors.New("connection refused"), context.DeadlineExceeded} {
		s := serve(t, outage{down}, nginx+ruleFile)
		a := s.ask("GET", "/me", bearer(h.Token())...)
		assert.Equal(t, http.StatusServiceUnavailable, a.status)
		assert.Equal(t, "5", a.Get("Retry-After"))
		assert.Empty(t, a.Get("WWW-Authenticate"), "the token may be good")
		assert.Equal(t, [3]string{}, a.identity())
		assert.Equal(t, http.StatusOK, s.ask("GET", "/public/x", bearer(h.Token())...).status, "nothing is verified")
		assert.Equal(t, http.StatusForbidden, s.ask("GET", "/other", bearer(h.Token())...).status)
		assert.Equal(t, http.StatusUnauthorized, s.ask("GET", "/me").status)
	}
}

// busy is an operational error of an Onezone that says when to ask again.
type busy struct{ error }

func (busy) RetryAfter() time.Duration { return 42 * time.Second }

func TestTheVerifierKnowsWhenToRetry(t *testing.T) {
	t.Parallel()
	a := serve(t, outage{busy{errors.New("429")}}, nginx+ruleFile).ask("GET", "/me", "X-Auth-Token", "x")
	assert.Equal(t, http.StatusServiceUnavailable, a.status)
	assert.Equal(t, "42", a.Get("Retry-After"))
}

// vouching is a verifier that accepts everything for a subject.
type vouching struct {
	outage
	subject caveat.Subject
}

func (v vouching) VerifyIdentity(context.Context, string, caveat.Request) (macaroon.Auth, error) {
	return macaroon.Auth{TokenID: "t1", Subject: v.subject}, nil
}

func TestAnIdentityThatAHeaderCannotCarryIsRefused(t *testing.T) {
	t.Parallel()
	for id, status := range map[string]int{
		"alice": 200, "zażółć": 200, "a b": 403, " a": 403, "a\nX-Admin: 1": 403, "a\x00": 403, "a\x7f": 403,
	} {
		a := serve(t, vouching{subject: caveat.User(id)}, nginx+ruleFile).ask("GET", "/me", "X-Auth-Token", "x")
		assert.Equal(t, status, a.status, "%q", id)
	}
}

func TestTheServiceOfTheRulesIsThatOfAccessTokens(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t, macaroon.WithMemberships(macaroontest.Everybody{}))
	confined := bearer(h.Token(caveat.MustParse("service = opw-p1")))
	for service, status := range map[string]int{
		"":                       401,
		"service = \"opw-p1\"\n": 200,
		"service = \"opw-p2\"\n": 401,
	} {
		a := serve(t, h.Authority, nginx+service+ruleFile).ask("POST", "/jobs/7", confined...)
		assert.Equal(t, status, a.status, service)
	}
}

// A Oneprovider must not use tokens here that are confined to itself.
func TestTheServiceTokenOfAClientDoesNotReplaceTheServiceOfTheRules(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t, macaroon.WithMemberships(macaroontest.Everybody{}))
	s := serve(t, h.Authority, nginx+"service = \"opw-p1\"\n"+ruleFile)
	client := []string{"X-Onedata-Service-Token", identityOf(h, h.Provider).String()}
	for service, status := range map[string]int{"opw-p1": 200, "opw-p-krakow": 401} {
		token := bearer(h.Token(caveat.MustParse("service = " + service)))
		assert.Equal(t, status, s.ask("POST", "/jobs/7", append(token, client...)...).status, service)
	}
}

func TestSetRulesReplacesTheRules(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	s := serve(t, h.Authority, nginx+ruleFile)
	assert.Equal(t, 200, s.ask("GET", "/public/x").status)
	require.NoError(t, s.SetRules(parse(t, nginx+rule("/public/{rest...}"))))
	assert.Equal(t, 401, s.ask("GET", "/public/x").status)
	assert.ErrorIs(t, s.SetRules(nil), errors.IDBadData)
	assert.Equal(t, 401, s.ask("GET", "/public/x").status)
}

func TestRulesAreReplacedWhileRequestsAreServed(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	s := serve(t, h.Authority, nginx+ruleFile)
	token := bearer(identityOf(h, h.Alice))
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 50 {
				assert.Equal(t, http.StatusOK, s.ask("GET", "/me", token...).status)
			}
		})
	}
	for range 50 {
		require.NoError(t, s.SetRules(parse(t, nginx+ruleFile)))
	}
	group.Wait()
}

func TestNewRefusesWhatIsMissing(t *testing.T) {
	t.Parallel()
	for _, v := range []macaroon.Verifier{nil, (*macaroon.Authority)(nil)} {
		_, err := gate.New(v, parse(t, nginx+ruleFile))
		assert.ErrorIs(t, err, errors.IDBadData)
	}
	_, err := gate.New(outage{}, nil, nil)
	assert.ErrorIs(t, err, errors.IDBadData)
}

// TestNothingSecretIsLogged logs at the level debug.
func TestNothingSecretIsLogged(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	var log syncbuffer.Buffer
	good, bad := h.Token().String(), h.Revoked().String()
	for _, v := range []macaroon.Verifier{h.Authority, outage{errors.New("connection refused")}} {
		s := serve(t, v, nginx+ruleFile, gate.WithLogger(debugLogger(&log)))
		for _, token := range []string{good, bad, good[1:]} {
			s.ask("POST", "/jobs/secretname?access_token="+token, "Authorization", "Bearer "+token)
			s.ask("GET", "/"+token, "X-Auth-Token", token)
			s.ask("GET", "/me", "X-Auth-Token", token, "X-Original-Uri", "/"+token)
		}
	}
	for _, secret := range []string{good, bad, good[1:], "secretname"} {
		assert.NotContains(t, log.String(), secret)
	}
	assert.Contains(t, log.String(), "connection refused", "the cause of a 503 is logged")
	assert.Contains(t, log.String(), "rule=rules.toml:", "decisions are logged")
}
