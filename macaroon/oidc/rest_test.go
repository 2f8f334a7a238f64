package oidc_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/macaroon/rest"
)

// The answers are those of the specification for access tokens of identity
// providers.
func TestOverREST(t *testing.T) {
	f := newFixture(t)
	handler := rest.Authenticate(f.authority, rest.WithIdentityProvider(f), rest.WithLogger(f.log.Logger()))(rest.RequireClient()(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			client, _ := rest.ClientFrom(r.Context())
			_, _ = w.Write([]byte(client.Subject.String()))
		})))
	call := func(token string) (int, string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("X-Auth-Token", token)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		requireNoPart(t, token, f.log.String())
		return w.Code, w.Body.String()
	}
	status, body := call(f.good(nil))
	require.Equal(t, http.StatusOK, status, body)
	require.Equal(t, f.alice().String(), body)

	refused := func(token, id string) {
		t.Helper()
		status, body := call(token)
		require.Equal(t, http.StatusUnauthorized, status)
		require.Contains(t, body, `{"error":{"id":"unauthorized","details":{"authError":{"id":"`+id+`"`)
		requireNoPart(t, token, body)
	}
	refused("indigo:"+f.good(nil)[4:], "badToken")
	refused(f.good(map[string]any{"exp": 1}), "badIdpAccessToken")
	require.NoError(t, f.authority.SetBlocked(t.Context(), f.alice(), true))
	refused(f.good(nil), "userBlocked")
	require.NoError(t, f.records.Close())
	refused(f.good(nil), "internalServerError")
}
