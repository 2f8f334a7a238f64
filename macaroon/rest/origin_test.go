package rest_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/restcases"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
)

const app = "https://app.example.com"

// corsHeaders are the headers of a preflight response, which allow a page to
// send credentials.
var corsHeaders = []string{"Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Access-Control-Max-Age", "Access-Control-Allow-Credentials"}

// Only pages of the origins that the operator lists may send credentials.
func TestPreflightIsForAllowedOriginsOnly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		options []rest.Option
		origin  string
		request string // Access-Control-Request-Method
		allowed bool
	}{
		{"none by default", nil, app, "POST", false},
		{"a listed origin", []rest.Option{rest.WithAllowedOrigins("https://other.example.com", app)}, app, "POST", true},
		{"another origin", []rest.Option{rest.WithAllowedOrigins(app)}, "https://evil.example.com", "POST", false},
		{"another scheme", []rest.Option{rest.WithAllowedOrigins(app)}, "http://app.example.com", "POST", false},
		{"another port", []rest.Option{rest.WithAllowedOrigins(app)}, app + ":8443", "POST", false},
		{"an origin below", []rest.Option{rest.WithAllowedOrigins(app)}, "https://x.app.example.com", "POST", false},
		{"null", []rest.Option{rest.WithAllowedOrigins(app)}, "null", "POST", false},
		{"no origin", []rest.Option{rest.WithAllowedOrigins(app)}, "", "POST", false},
		{"no preflight", []rest.Option{rest.WithAllowedOrigins(app)}, app, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := restcases.NewFixture(t, c.options...)
			header := http.Header{}
			for name, value := range map[string]string{"Origin": c.origin, "Access-Control-Request-Method": c.request} {
				if value != "" {
					header.Set(name, value)
				}
			}
			res := w.Do(t, restcases.Request{Method: "OPTIONS", Path: "/user/tokens/named", Header: header}).Response
			macaroontest.AssertStatus(t, res, http.StatusNoContent)
			require.Equal(t, "DELETE, GET, HEAD, OPTIONS, POST", res.Header.Get("Allow"))
			require.Equal(t, "*", res.Header.Get("Access-Control-Allow-Origin"))
			want := map[string]string{}
			if c.allowed {
				want = map[string]string{
					"Access-Control-Allow-Methods": "DELETE, GET, HEAD, OPTIONS, POST",
					"Access-Control-Allow-Headers": "Authorization, Content-Type, Macaroon, X-Auth-Token, X-Onedata-Consumer-Token, X-Onedata-Service-Token",
					"Access-Control-Max-Age":       "600",
				}
			}
			for _, name := range corsHeaders {
				require.Equal(t, want[name], res.Header.Get(name), name)
			}
			require.Equal(t, c.options != nil, res.Header.Get("Vary") == "Origin")

			header.Set("Origin", app)
			res = w.Do(t, restcases.Request{Method: "GET", Path: "/user/tokens/named", Header: header, As: w.By(t, restcases.Alice)}).Response
			macaroontest.AssertStatus(t, res, http.StatusOK)
			for _, name := range corsHeaders {
				require.Empty(t, res.Header.Get(name), "only a preflight has %s", name)
			}
		})
	}
}

func TestAllowedOriginsAreOrigins(t *testing.T) {
	t.Parallel()
	w := restcases.NewFixture(t)
	for _, origin := range []string{"", "*", "null", "app.example.com", "https://app.example.com/", "https://App.example.com", "https://user@app.example.com", "https://app.example.com?x"} {
		_, err := rest.NewHandler(w.Authority, rest.WithAllowedOrigins(app, origin))
		require.ErrorIs(t, err, errors.IDBadData, origin)
	}
	for _, origin := range []string{app, "http://localhost:8080", "https://[::1]:8443"} {
		_, err := rest.NewHandler(w.Authority, rest.WithAllowedOrigins(origin))
		require.NoError(t, err)
	}
}

// Browsers add remembered passwords to requests from pages of other sites, so
// passwords are accepted only from the same site and allowed origins.
func TestPasswordOfAnotherSiteIsRefused(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	allowing := rest.WithAllowedOrigins(app)
	for _, c := range []struct {
		name    string
		header  http.Header
		options []rest.Option
		allowed bool
	}{
		{"no browser", headers(), nil, true},
		{"form of another site", headers("Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"), nil, false},
		{"link of another site", headers("Sec-Fetch-Site", "cross-site"), nil, false},
		{"another host of the site", headers("Sec-Fetch-Site", "same-site", "Origin", app), nil, false},
		{"an allowed origin", headers("Sec-Fetch-Site", "cross-site", "Origin", app), []rest.Option{allowing}, true},
		{"an allowed host of the site", headers("Sec-Fetch-Site", "same-site", "Origin", app), []rest.Option{allowing}, true},
		{"not an allowed origin", headers("Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"), []rest.Option{allowing}, false},
		{"link of an allowed origin", headers("Sec-Fetch-Site", "cross-site"), []rest.Option{allowing}, false}, // which sends no Origin
		{"the same origin", headers("Sec-Fetch-Site", "same-origin", "Origin", "http://example.com"), nil, true},
		{"the user", headers("Sec-Fetch-Site", "none"), nil, true},
		{"an unknown site", headers("Sec-Fetch-Site", "friend-site"), nil, false},
		{"an empty site", headers("Sec-Fetch-Site", ""), nil, false},
		{"two sites", http.Header{"Sec-Fetch-Site": {"same-origin", "cross-site"}}, nil, false},
		// Over plain HTTP browsers send no Sec-Fetch-Site, but with a form its origin.
		{"another origin over HTTP", headers("Origin", "http://evil.example"), nil, false},
		{"another port over HTTP", headers("Origin", "http://example.com:81"), nil, false},
		{"an opaque origin over HTTP", headers("Origin", "null"), nil, false},
		{"the same origin over HTTP", headers("Origin", "http://example.com"), nil, true},
		{"an allowed origin over HTTP", headers("Origin", app), []rest.Option{allowing}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			api, err := rest.NewHandler(h.Authority, c.options...)
			require.NoError(t, err)
			own := rest.Authenticate(h.Authority, c.options...)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusNoContent)
			}))
			send := func(handler http.Handler, method, path string, as macaroontest.Credentials) macaroontest.Response {
				return macaroontest.Request(t, handler, method, path, nil, func(r *http.Request) {
					as(r)
					maps.Copy(r.Header, c.header)
				})
			}
			for _, res := range []macaroontest.Response{
				send(api, "POST", rest.Prefix+"/user/client_tokens", macaroontest.Basic("alice")),
				send(api, "GET", rest.Prefix+"/user/tokens/temporary", macaroontest.Basic("alice")), // which changes state, too
				send(own, "POST", "/", macaroontest.Basic("alice")),
			} {
				if c.allowed {
					require.Less(t, res.Status, 300, "%s", res.Body)
					continue
				}
				macaroontest.AssertStatus(t, res, http.StatusForbidden)
				macaroontest.AssertError(t, res, errors.IDForbidden)
				require.Contains(t, string(res.Body), "another site")
			}
			// No page of another site can send the header of a token.
			macaroontest.AssertStatus(t, send(own, "POST", "/", macaroontest.Bearer(h.Token())), http.StatusNoContent)
			macaroontest.AssertStatus(t, send(own, "POST", "/", macaroontest.Anonymous()), http.StatusNoContent)
		})
	}
}

// A bad origin in the option allows nothing, not even a request without an
// origin.
func TestAuthenticateIgnoresBadOrigins(t *testing.T) {
	t.Parallel()
	w := restcases.NewFixture(t)
	h := rest.Authenticate(w.Authority, rest.WithAllowedOrigins("", "null", "*", ",", app))(
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	for _, c := range []struct {
		origins []string
		status  int
	}{
		{nil, http.StatusForbidden},
		{[]string{""}, http.StatusForbidden},
		{[]string{"null"}, http.StatusForbidden},
		{[]string{"*"}, http.StatusForbidden},
		{[]string{app, app}, http.StatusForbidden},
		{[]string{app}, http.StatusUnauthorized}, // to the password, which is wrong
	} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.SetBasicAuth("alice", "not the password")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header["Origin"] = c.origins
		res := httptest.NewRecorder()
		h.ServeHTTP(res, r)
		require.Equal(t, c.status, res.Code, "%q", c.origins)
	}
}
