package rest_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// A handler that confines the token of its client gets the one that was
// verified, whichever header has it.
func TestAccessTokenIsTheOneThatWasVerified(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	token, other := h.Token(caveat.DataReadonly{}), h.Token()
	var got macaroon.Token
	var ok bool
	next := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got, ok = rest.AccessToken(r) })
	service := rest.Authenticate(h.Authority, rest.AllowDataCaveats())(next)
	header := func(pairs ...string) macaroontest.Credentials {
		return func(r *http.Request) {
			for i := 0; i < len(pairs); i += 2 {
				r.Header.Set(pairs[i], pairs[i+1])
			}
		}
	}
	for name, c := range map[string]macaroontest.Credentials{
		"X-Auth-Token":  header("X-Auth-Token", token.String()),
		"Authorization": header("Authorization", "Bearer "+token.String()),
		"Macaroon":      header("Macaroon", token.String()),
		"two headers":   header("X-Auth-Token", token.String(), "Authorization", "Bearer "+other.String(), "Macaroon", other.String()),
	} {
		macaroontest.Request(t, service, http.MethodGet, "/", nil, c)
		require.True(t, ok, name)
		require.Equal(t, token.String(), got.String(), name)
	}
	for name, c := range map[string]macaroontest.Credentials{
		"nobody": macaroontest.Anonymous(), "password": macaroontest.Basic(macaroontest.AliceName),
	} {
		macaroontest.Request(t, service, http.MethodGet, "/", nil, c)
		require.False(t, ok, name)
		require.True(t, got.IsZero(), name)
	}
	macaroontest.Request(t, next, http.MethodGet, "/", nil, macaroontest.Bearer(token))
	require.False(t, ok, "a request that did not pass Authenticate")
}
