package rest_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// elsewhere is a verifier that is not an authority. It records the last request.
type elsewhere struct {
	macaroon.Verifier
	last *caveat.Request
}

func (e elsewhere) VerifyAccess(ctx context.Context, text string, req caveat.Request) (macaroon.Auth, error) {
	*e.last = req
	return e.Verifier.VerifyAccess(ctx, text, req)
}

// whoami answers with the subject of the client.
var whoami = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	c, _ := rest.ClientFrom(r.Context())
	_, _ = w.Write([]byte(c.Subject.String()))
})

func TestAuthenticateTakesAnyVerifier(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	e := elsewhere{h.Authority, &caveat.Request{}}
	handler := rest.Authenticate(e)(whoami)

	token := h.Token()
	res := macaroontest.Get(t, handler, "/", token)
	require.Equal(t, h.Alice.String(), string(res.Body))

	res = macaroontest.Request(t, handler, http.MethodGet, "/", nil, func(r *http.Request) {
		r.Header.Set("X-Auth-Token", token.String())
		r.Header.Set("X-Onedata-Service-Token", h.TokenOf(h.Provider, macaroon.IdentityToken()).String())
		r.Header.Set("X-Onedata-Consumer-Token", "no token")
	})
	require.Equal(t, http.StatusUnauthorized, res.Status)
	require.ErrorIs(t, res.Err(), errors.IDBadConsumerToken)
	require.EqualValues(t, "no token", e.last.ConsumerToken)

	res = macaroontest.Request(t, handler, http.MethodGet, "/", nil, macaroontest.Basic(macaroontest.AliceName))
	require.Equal(t, http.StatusUnauthorized, res.Status)
	require.ErrorIs(t, res.Err(), errors.IDBasicAuthNotSupported)

	require.Panics(t, func() { rest.Authenticate(nil) })
	require.Panics(t, func() { rest.Authenticate((*macaroon.Authority)(nil)) })
}

func TestAcceptingIdentityTokensRefusesAccessTokens(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	handler := rest.Authenticate(h.Authority, rest.AcceptIdentityTokens())(whoami)
	res := macaroontest.Get(t, handler, "/", h.TokenOf(h.Alice, macaroon.IdentityToken()))
	require.Equal(t, h.Alice.String(), string(res.Body))
	res = macaroontest.Get(t, handler, "/", h.Token())
	require.Equal(t, http.StatusUnauthorized, res.Status)
	require.ErrorIs(t, res.Err(), errors.IDNotAnIdentityToken)
}

// unreachable is a verifier that cannot reach its Onezone.
type unreachable struct {
	macaroon.Verifier
	err error
}

func (u unreachable) VerifyAccess(context.Context, string, caveat.Request) (macaroon.Auth, error) {
	return macaroon.Auth{}, fmt.Errorf("asking an Onezone: %w", u.err)
}

// tryLater is an operational error that says when to try again.
type tryLater time.Duration

func (tryLater) Error() string               { return "it asked for a pause" }
func (t tryLater) RetryAfter() time.Duration { return time.Duration(t) }

func TestTheTimeToRetryOfAVerifierReachesTheClient(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	for _, test := range []struct {
		err  error
		wait string
	}{
		{tryLater(20 * time.Second), "20"},
		{tryLater(1500 * time.Millisecond), "2"},
		{errors.New("connection refused"), ""},
	} {
		handler := rest.Authenticate(unreachable{h.Authority, test.err}, rest.WithLogger(slog.New(slog.DiscardHandler)))(whoami)
		res := macaroontest.Get(t, handler, "/", h.Token())
		require.Equal(t, http.StatusServiceUnavailable, res.Status)
		require.ErrorIs(t, res.Err(), errors.IDServiceUnavailable)
		require.Equal(t, test.wait, res.Header.Get("Retry-After"))
		require.NotContains(t, string(res.Body), "pause", "operational errors are not shown")

		w := httptest.NewRecorder()
		rest.WriteError(w, test.err)
		require.Equal(t, test.wait, w.Header().Get("Retry-After"))
	}
}
