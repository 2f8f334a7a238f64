package oidc_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/oidc"
)

const (
	clientID  = "onezone-page"
	pageNonce = "0123456789abcdef0123456789abcdef"
)

var registered = oidc.LogInOptions{ClientID: clientID, ClientSecret: "s3cret", RedirectURL: "https://onezone.example.org/tokens/page/idp/callback"}

// browser is a user's browser that logs in at a page.
type browser struct {
	*fixture
	t       testing.TB
	handler http.Handler
	cookies []*http.Cookie
	asked   url.Values // what the issuer was asked for
	answer  url.Values // what the issuer sends back to the callback
}

func (f *fixture) browser(t testing.TB, o oidc.LogInOptions) *browser {
	t.Helper()
	h, err := f.LogIn(o)
	require.NoError(t, err)
	return &browser{fixture: f, t: t, handler: h}
}

func (b *browser) get(path string) *http.Response {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	res := w.Result()
	require.Equal(b.t, "no-store", res.Header.Get("Cache-Control"))
	return res
}

// begin goes to the issuer, which logs the user in and prepares the claims of the
// ID token with changes.
func (b *browser) begin(changes map[string]any) {
	b.t.Helper()
	res := b.get("/page/idp/start?nonce=" + pageNonce)
	require.Equal(b.t, http.StatusSeeOther, res.StatusCode)
	to, err := url.Parse(res.Header.Get("Location"))
	require.NoError(b.t, err)
	require.Equal(b.t, b.issuer.URL+authorizePath, to.Scheme+"://"+to.Host+to.Path)
	b.cookies, b.asked = res.Cookies(), to.Query()
	b.answer = url.Values{"code": {"the code"}, "state": {b.asked.Get("state")}}
	claims := map[string]any{"aud": clientID, "nonce": b.asked.Get("nonce"), "at_hash": "x"}
	for name, value := range changes {
		claims[name] = value
	}
	b.idToken(strings.TrimPrefix(signed(jose.RS256, rsaKey, header{"kid": "rsa"}, b.claims(claims)), "egi:"))
}

// idToken sets the ID token that the issuer gives for the right code.
func (b *browser) idToken(text string) {
	b.issuer.answer(tokenPath, func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
		id, secret, _ := r.BasicAuth()
		switch {
		case r.PostFormValue("code") != "the code", r.PostFormValue("grant_type") != "authorization_code",
			r.PostFormValue("redirect_uri") != registered.RedirectURL,
			base64.RawURLEncoding.EncodeToString(sum[:]) != b.asked.Get("code_challenge"):
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
		case id != clientID || secret != registered.ClientSecret:
			w.WriteHeader(http.StatusUnauthorized)
		default:
			reply(w, map[string]any{"access_token": "opaque", "token_type": "Bearer", "id_token": text})
		}
	})
}

// end returns to the callback, and returns what the page gets in the fragment.
func (b *browser) end() url.Values {
	b.t.Helper()
	res := b.get("/page/idp/callback?" + b.answer.Encode())
	require.Equal(b.t, http.StatusSeeOther, res.StatusCode)
	to, ok := strings.CutPrefix(res.Header.Get("Location"), "../../#")
	require.True(b.t, ok, "the page can be below any path")
	require.Equal(b.t, -1, res.Cookies()[0].MaxAge, "the cookie is removed")
	values, err := url.ParseQuery(to)
	require.NoError(b.t, err)
	return values
}

func TestLogInWithABrowser(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.browser(t, registered)
	b.begin(nil)
	require.Equal(t, "code", b.asked.Get("response_type"))
	require.Equal(t, "openid profile", b.asked.Get("scope"))
	require.Equal(t, "S256", b.asked.Get("code_challenge_method"))
	require.Equal(t, registered.RedirectURL, b.asked.Get("redirect_uri"))
	for _, secret := range []string{"state", "nonce", "code_challenge"} {
		require.Len(t, b.asked.Get(secret), 43, secret)
	}
	c := b.cookies[0]
	require.Equal(t, "__Host-onezone-log-in", c.Name)
	require.True(t, c.Secure && c.HttpOnly && c.Path == "/" && c.SameSite == http.SameSiteLaxMode && c.MaxAge == 600)

	given := b.end()
	require.Equal(t, pageNonce, given.Get("nonce"))
	auth, err := f.authority.VerifyAccess(t.Context(), given.Get("log-in"), caveat.Request{})
	require.NoError(t, err)
	require.Equal(t, caveat.User(oidc.UserID(f.issuer.URL, "alice@egi.eu")), auth.Subject)
	_, isLogIn := auth.LogIn()
	require.True(t, isLogIn)
	user, err := f.authority.User(t.Context(), auth.Subject)
	require.NoError(t, err)
	require.Equal(t, "Alice Example", user.FullName)
	requireNoPart(t, given.Get("log-in"), f.log.String())
}

// Another browser, another log-in, or an ID token that is not for this log-in.
func TestLogInWithABrowserIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		claims map[string]any
		change func(b *browser)
		want   string
	}{
		"no cookie":             {nil, func(b *browser) { b.cookies = nil }, "not-begun"},
		"another state":         {nil, func(b *browser) { b.answer.Set("state", strings.Repeat("x", 43)) }, "not-begun"},
		"no state":              {nil, func(b *browser) { b.answer.Del("state") }, "not-begun"},
		"a malformed cookie":    {nil, func(b *browser) { b.cookies[0].Value = "x" }, "not-begun"},
		"the user refused":      {nil, func(b *browser) { b.answer.Del("code"); b.answer.Set("error", "access_denied") }, "refused"},
		"another code":          {nil, func(b *browser) { b.answer.Set("code", "of another log-in") }, "refused"},
		"another issuer":        {nil, func(b *browser) { b.answer.Set("iss", "https://evil.example") }, "refused"},
		"another nonce":         {map[string]any{"nonce": "of another log-in"}, nil, "refused"},
		"no nonce":              {map[string]any{"nonce": nil}, nil, "refused"},
		"for another client":    {map[string]any{"aud": audience}, nil, "refused"},
		"for two clients":       {map[string]any{"aud": []string{clientID, "other"}}, nil, "refused"},
		"of another client":     {map[string]any{"azp": "other"}, nil, "refused"},
		"claims of another":     {map[string]any{"iss": "https://evil.example"}, nil, "refused"},
		"expired":               {map[string]any{"exp": 1}, nil, "refused"},
		"no subject":            {map[string]any{"sub": nil}, nil, "refused"},
		"no ID token":           {nil, func(b *browser) { b.idToken("") }, "refused"},
		"of another key":        {nil, func(b *browser) { b.forge(otherRSA) }, "refused"},
		"with a shared key":     {nil, func(b *browser) { b.idToken("e30.e30.e30") }, "refused"},
		"the issuer is down":    {nil, func(b *browser) { b.issuer.answer(tokenPath, text(503, "")) }, "failed"},
		"a wrong client secret": {nil, func(b *browser) { b.issuer.answer(tokenPath, text(401, `{"error":"invalid_client"}`)) }, "failed"},
		"the user is blocked": {nil, func(b *browser) {
			user := caveat.User(oidc.UserID(b.issuer.URL, "alice@egi.eu"))
			_, err := b.authority.CreateUser(b.t.Context(), macaroon.NewUser{ID: user.ID})
			require.NoError(b.t, err)
			require.NoError(b.t, b.authority.SetBlocked(b.t.Context(), user, true))
		}, "blocked"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newFixture(t).browser(t, registered)
			b.begin(c.claims)
			if c.change != nil {
				c.change(b)
			}
			given := b.end()
			require.Equal(t, c.want, given.Get("log-in-error"), b.log.String())
			require.False(t, given.Has("log-in"))
			require.NotContains(t, b.log.String(), "the code")
		})
	}
}

// forge gives an ID token that another key has signed.
func (b *browser) forge(key any) {
	b.idToken(strings.TrimPrefix(signed(jose.RS256, key, header{"kid": "rsa"}, b.claims(map[string]any{"aud": clientID, "nonce": b.asked.Get("nonce")})), "egi:"))
}

// The groups of a log-in are those of the ID token or of the userinfo endpoint.
func TestLogInWithABrowserNeedsAnAllowedGroup(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *oidc.Options) { o.GroupsClaim, o.AllowedGroups = "groups", []string{"staff"} })
	b := f.browser(t, registered)
	b.begin(map[string]any{"groups": []string{"guests"}})
	require.Equal(t, "not-allowed", b.end().Get("log-in-error"))
	b.begin(nil)
	f.issuer.setUserinfo("opaque", map[string]any{"sub": "alice@egi.eu", "groups": []string{"staff"}})
	require.True(t, b.end().Has("log-in"))
	b.begin(map[string]any{"sub": "bob@egi.eu"})
	require.Equal(t, "refused", b.end().Get("log-in-error"), "the userinfo endpoint names another user")
}

// New keys of the issuer are fetched for a log-in, too.
func TestLogInWithABrowserAfterNewKeys(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.browser(t, registered)
	b.begin(nil)
	f.issuer.setKeys(public("rsa", otherRSA))
	f.clock.Advance(time.Minute)
	b.forge(otherRSA)
	require.True(t, b.end().Has("log-in"))
}

func TestLogInPathsAndOptions(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.browser(t, oidc.LogInOptions{ClientID: clientID, RedirectURL: "http://127.0.0.1:9080/page/idp/callback", Scopes: []string{"groups"}})
	for path, status := range map[string]int{"/page/idp/start": 400, "/page/idp/start?nonce=%23log-in=x": 400, "/page/idp/other": 404} {
		require.Equal(t, status, b.get(path).StatusCode, path)
	}
	r := httptest.NewRequest(http.MethodPost, "/page/idp/start", nil)
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	require.Equal(t, http.StatusMethodNotAllowed, w.Code)
	res := b.get("/page/idp/start?nonce=" + pageNonce)
	require.Equal(t, "onezone-log-in", res.Cookies()[0].Name, "plain HTTP on this machine")
	require.Contains(t, res.Header.Get("Location"), "scope=openid+groups")

	f.issuer.answer(discoveryPath, text(500, ""))
	f.clock.Advance(2 * time.Hour)
	res = b.get("/page/idp/start?nonce=" + pageNonce)
	require.Equal(t, "../../#log-in-error=failed&nonce="+pageNonce, res.Header.Get("Location"))

	for want, o := range map[string]oidc.LogInOptions{
		"the option ClientID is missing":                      {RedirectURL: registered.RedirectURL},
		"the option RedirectURL: \"\" is not a URL":           {ClientID: clientID},
		"must begin with https://":                            {ClientID: clientID, RedirectURL: "http://onezone.example.org/page/idp/callback"},
		"the option RedirectURL: \"https://x.example/\" must": {ClientID: clientID, RedirectURL: "https://x.example/"},
	} {
		_, err := f.LogIn(o)
		require.ErrorContains(t, err, want)
	}
}
