package rest_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/restcases"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// Caches must not store responses that depend on credentials or on state.
// restcases.Check checks the routes; these are the other responses.
func TestAnswersStayOutOfCaches(t *testing.T) {
	t.Parallel()
	w := restcases.NewFixture(t)
	for _, c := range []struct {
		name, method, path string
		status             int
	}{
		{"unknown path", "GET", "/nowhere", 404},
		{"path that is not clean", "GET", "//user", 404},
		{"unknown method", "PUT", "/openapi.json", 405},
		{"options", "OPTIONS", "/openapi.json", 204},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			res := w.Do(t, restcases.Request{Method: c.method, Path: c.path}).Response
			macaroontest.AssertStatus(t, res, c.status)
			require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
		})
	}
	for _, method := range []string{"GET", "HEAD"} {
		res := w.Do(t, restcases.Request{Method: method, Path: "/openapi.json"}).Response
		require.Equal(t, "public, max-age=3600", res.Header.Get("Cache-Control"), "the document is the same for everybody")
	}
}

// Responses of handlers behind Authenticate depend on the client, so caches
// must not store them unless the handler allows it.
func TestAnswersBehindAuthenticateStayOutOfCaches(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	mux := http.NewServeMux()
	mux.HandleFunc("/private", func(w http.ResponseWriter, r *http.Request) {
		client, _ := rest.ClientFrom(r.Context())
		_, _ = io.WriteString(w, client.Subject.ID)
	})
	mux.HandleFunc("/public", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=60")
		_, _ = io.WriteString(w, "the same for everybody")
	})
	mux.HandleFunc("/error", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=60")
		rest.WriteError(w, errors.NotFound())
	})
	handler := rest.Authenticate(h.Authority)(mux)
	for _, c := range []struct {
		path string
		as   macaroontest.Credentials
		want string
	}{
		{"/private", macaroontest.Anonymous(), "no-store"},
		{"/private", macaroontest.Bearer(h.Token()), "no-store"},
		{"/private", macaroontest.BearerText("nonsense"), "no-store"}, // answered by the middleware
		{"/public", macaroontest.Bearer(h.Token()), "public, max-age=60"},
		{"/error", macaroontest.Bearer(h.Token()), "no-store"},
	} {
		res := macaroontest.Request(t, handler, "GET", c.path, nil, c.as)
		require.Equal(t, c.want, res.Header.Get("Cache-Control"), "%s %d", c.path, res.Status)
	}
}
