package rest_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/macaroon/rest/internal/cases"
)

const app = "https://app.example.com"

// corsHeaders are those of a preflight, which let a page send credentials.
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
			w := cases.NewWorld(t, c.options...)
			header := http.Header{}
			for name, value := range map[string]string{"Origin": c.origin, "Access-Control-Request-Method": c.request} {
				if value != "" {
					header.Set(name, value)
				}
			}
			res := w.Do(t, cases.Request{Method: "OPTIONS", Path: "/user/tokens/named", Header: header}).Response
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
			res = w.Do(t, cases.Request{Method: "GET", Path: "/user/tokens/named", Header: header, As: w.By(t, cases.Alice)}).Response
			macaroontest.AssertStatus(t, res, http.StatusOK)
			for _, name := range corsHeaders {
				require.Empty(t, res.Header.Get(name), "only a preflight has %s", name)
			}
		})
	}
}

func TestAllowedOriginsAreOrigins(t *testing.T) {
	t.Parallel()
	w := cases.NewWorld(t)
	for _, origin := range []string{"", "*", "null", "app.example.com", "https://app.example.com/", "https://App.example.com", "https://user@app.example.com", "https://app.example.com?x"} {
		_, err := rest.NewHandler(w.Authority, rest.WithAllowedOrigins(app, origin))
		require.ErrorIs(t, err, errors.IDBadData, origin)
	}
	for _, origin := range []string{app, "http://localhost:8080", "https://[::1]:8443"} {
		_, err := rest.NewHandler(w.Authority, rest.WithAllowedOrigins(origin))
		require.NoError(t, err)
	}
}
