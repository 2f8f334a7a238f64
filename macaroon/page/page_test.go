package page_test

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/page"
	"github.com/onezone-go/onezone/macaroon/rest"
)

func newPage(t *testing.T, o page.Options) (*macaroontest.Harness, http.Handler) {
	t.Helper()
	h := macaroontest.New(t)
	tokens, err := page.New(h.Authority, o)
	require.NoError(t, err)
	return h, tokens
}

func request(method, path string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func do(h http.Handler, r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, res *http.Response) string {
	t.Helper()
	data, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return string(data)
}

var link = regexp.MustCompile(`(?:src|href)="([^"#]+)"|(?:from|url\() ?'?([./\w-]+\.(?:js|svg))`)

// linked returns the paths of all files that the page consists of.
func linked(t *testing.T, h http.Handler) map[string]*http.Response {
	t.Helper()
	found := map[string]*http.Response{}
	var visit func(path string)
	visit = func(path string) {
		if found[path] != nil {
			return
		}
		res := do(h, request(http.MethodGet, path, "Accept-Encoding", "gzip, br"))
		require.Equal(t, http.StatusOK, res.StatusCode, path)
		found[path] = res
		text := body(t, do(h, request(http.MethodGet, path)))
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target := m[1] + m[2]
			if path == "/" {
				visit("/" + target)
			} else {
				visit("/page/" + strings.TrimPrefix(target, "./"))
			}
		}
	}
	visit("/")
	return found
}

// The page is small: 120 kB as it is sent.
func TestSize(t *testing.T) {
	t.Parallel()
	_, h := newPage(t, page.Options{})
	files := linked(t, h)
	require.Greater(t, len(files), 15)
	total := 0
	for path, res := range files {
		require.Equal(t, "gzip", res.Header.Get("Content-Encoding"), path)
		total += len(body(t, res))
	}
	t.Logf("%d files, %d bytes", len(files), total)
	require.Less(t, total, 120_000)
}

// Nothing in the page is inline, and nothing comes from elsewhere.
func TestPolicy(t *testing.T) {
	t.Parallel()
	_, h := newPage(t, page.Options{})
	for path, res := range linked(t, h) {
		policy := res.Header.Get("Content-Security-Policy")
		require.Contains(t, policy, "default-src 'none'; script-src 'self'; style-src 'self'", path)
		for _, weak := range []string{"unsafe", "http:", "https:", "data:", "*"} {
			require.NotContains(t, policy, weak)
		}
		require.Equal(t, "nosniff", res.Header.Get("X-Content-Type-Options"))
		require.Equal(t, "no-referrer", res.Header.Get("Referrer-Policy"))
		text := body(t, do(h, request(http.MethodGet, path)))
		require.NotRegexp(t, `innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|localStorage|document\.cookie`, text, path)
		require.NotRegexp(t, `\sstyle=|\son\w+=`, text, path)
		for _, address := range regexp.MustCompile(`https?://[\w.]+`).FindAllString(text, -1) {
			require.Equal(t, "http://www.w3.org", address, path)
		}
	}
}

func TestFilesAreKeptUntilTheyChange(t *testing.T) {
	t.Parallel()
	_, h := newPage(t, page.Options{})
	for _, encoding := range []string{"", "gzip", "gzip;q=0.5", "br"} {
		res := do(h, request(http.MethodGet, "/page/main.js", "Accept-Encoding", encoding))
		require.Equal(t, "no-cache", res.Header.Get("Cache-Control"))
		require.Equal(t, "Accept-Encoding", res.Header.Get("Vary"))
		data := body(t, res)
		if strings.HasPrefix(encoding, "gzip") {
			r, err := gzip.NewReader(strings.NewReader(data))
			require.NoError(t, err)
			plain, err := io.ReadAll(r)
			require.NoError(t, err)
			data = string(plain)
		}
		require.True(t, strings.HasPrefix(data, "// The frame of the page"))
		res = do(h, request(http.MethodGet, "/page/main.js", "Accept-Encoding", encoding, "If-None-Match", res.Header.Get("ETag")))
		require.Equal(t, http.StatusNotModified, res.StatusCode)
	}
	res := do(h, request(http.MethodGet, "/page/main.js", "Accept-Encoding", "gzip;q=0"))
	require.Empty(t, res.Header.Get("Content-Encoding"))
}

func TestPathsAndMethods(t *testing.T) {
	t.Parallel()
	_, h := newPage(t, page.Options{})
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/", 200, ""}, {"HEAD", "/", 200, ""}, {"POST", "/", 405, "GET, HEAD"},
		{"GET", "/page/style.css", 200, ""}, {"GET", "/page/log_in", 405, "POST"}, {"DELETE", "/page/settings.json", 405, "GET, HEAD"},
		{"GET", "/page/", 404, ""}, {"GET", "/page/page.go", 404, ""}, {"GET", "/page/../page.go", 404, ""}, {"GET", "/page/%2e%2e/page.go", 404, ""},
		{"GET", "/page//main.js", 404, ""}, {"GET", "/page/index.html", 404, ""}, {"GET", "/other", 404, ""},
	} {
		res := do(h, request(c.method, c.path))
		require.Equal(t, c.status, res.StatusCode, c)
		require.Equal(t, c.allow, res.Header.Get("Allow"), c)
		require.NotEmpty(t, res.Header.Get("Content-Security-Policy"))
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	_, h := newPage(t, page.Options{})
	require.Contains(t, body(t, do(h, request(http.MethodGet, "/page/settings.json"))), `{"api":"api/v3/onezone","passwords":true,"identityProvider":null,"invitations":[{"type":"userJoinGroup","target":"groupId","privileges":["group_add_atm_inventory",`)
	_, h = newPage(t, page.Options{API: "../api", WithoutPasswords: true, IdentityProvider: &page.IdentityProvider{Name: "egi", Path: "page/idp"}})
	text := body(t, do(h, request(http.MethodGet, "/page/settings.json")))
	require.Contains(t, text, `{"api":"../api","passwords":false,"identityProvider":{"name":"egi","path":"page/idp"},`)
	require.Contains(t, text, `{"type":"supportSpace","target":"spaceId","privileges":null,"defaults":null}`)
	_, err := page.New(nil, page.Options{})
	require.ErrorIs(t, err, errors.IDBadData)
}

// logInWith returns the answer to a log-in.
func logInWith(t *testing.T, h http.Handler, headers ...string) (token string, ttl int64, res *http.Response) {
	t.Helper()
	res = do(h, request(http.MethodPost, "/page/log_in", headers...))
	var answer struct {
		Token string
		TTL   int64
	}
	if res.StatusCode == http.StatusOK {
		require.NoError(t, json.NewDecoder(res.Body).Decode(&answer))
		require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
		require.Empty(t, res.Header.Values("Set-Cookie"))
	}
	return answer.Token, answer.TTL, res
}

func TestLogIn(t *testing.T) {
	t.Parallel()
	z, h := newPage(t, page.Options{})
	r := request(http.MethodPost, "/page/log_in")
	r.SetBasicAuth(macaroontest.AliceName, macaroontest.Password)
	first, ttl, _ := logInWith(t, h, "Authorization", r.Header.Get("Authorization"))
	require.Equal(t, int64(600), ttl)

	z.Clock.Advance(5 * time.Minute)
	second, ttl, _ := logInWith(t, h, "X-Auth-Token", first)
	require.Equal(t, int64(600), ttl)
	auth, err := z.Authority.VerifyAccess(t.Context(), second, caveat.Request{})
	require.NoError(t, err)
	since, ok := auth.LogIn()
	require.True(t, ok)
	require.Equal(t, z.Clock.Now().Add(-5*time.Minute).Unix(), since.Unix(), "a continued log-in keeps its beginning")

	z.Clock.Advance(10 * time.Minute)
	_, _, res := logInWith(t, h, "X-Auth-Token", second)
	require.Equal(t, http.StatusUnauthorized, res.StatusCode)
}

// Nobody logs in with what is not a log-in, and no page of another site does.
func TestLogInIsRefused(t *testing.T) {
	t.Parallel()
	z, h := newPage(t, page.Options{})
	token, err := z.Authority.IssueNamed(t.Context(), "laptop", macaroon.Grant{Subject: z.Alice, Type: macaroon.AccessToken()})
	require.NoError(t, err)
	logIn, err := z.Authority.IssueLogIn(t.Context(), z.Alice, z.Clock.Now())
	require.NoError(t, err)
	confined, err := logIn.Confine(caveat.REST)
	require.NoError(t, err)
	old, err := z.Authority.IssueLogIn(t.Context(), z.Alice, z.Clock.Now().Add(-macaroon.MaxLogIn))
	require.NoError(t, err)
	z.Clock.Advance(time.Minute)
	basic := request(http.MethodPost, "/")
	basic.SetBasicAuth(macaroontest.AliceName, macaroontest.Password)
	wrong := request(http.MethodPost, "/")
	wrong.SetBasicAuth(macaroontest.AliceName, "wrong")
	for name, c := range map[string]struct {
		headers []string
		status  int
	}{
		"no credentials":        {nil, 401},
		"a cookie":              {[]string{"Cookie", "token=" + logIn.String()}, 401},
		"a wrong password":      {[]string{"Authorization", wrong.Header.Get("Authorization")}, 401},
		"a password cross-site": {[]string{"Authorization", basic.Header.Get("Authorization"), "Sec-Fetch-Site", "cross-site"}, 403},
		"a named token":         {[]string{"X-Auth-Token", token.String()}, 403},
		"a confined log-in":     {[]string{"X-Auth-Token", confined.String()}, 403},
		"a log-in of yesterday": {[]string{"X-Auth-Token", old.String()}, 403},
	} {
		given, _, res := logInWith(t, h, c.headers...)
		require.Equal(t, c.status, res.StatusCode, name)
		require.Empty(t, given)
	}
}

// The page and the API can be in one mux.
func TestBesideTheAPI(t *testing.T) {
	t.Parallel()
	z, h := newPage(t, page.Options{})
	api, err := rest.NewHandler(z.Authority)
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/{$}", h)
	mux.Handle("/page/", h)
	mux.Handle(rest.Prefix+"/", api)
	require.Contains(t, body(t, do(mux, request(http.MethodGet, "/"))), "<title>")
	require.Equal(t, http.StatusOK, do(mux, request(http.MethodGet, "/page/main.js")).StatusCode)
	require.Equal(t, http.StatusOK, do(mux, request(http.MethodGet, rest.Prefix+"/configuration")).StatusCode)
}
