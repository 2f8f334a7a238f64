package readme

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/page"
	"github.com/onezone-go/onezone/macaroon/rest"
)

func withPage(authority *macaroon.Authority, api http.Handler) (http.Handler, error) {
	tokens, err := page.New(authority, page.Options{})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/{$}", tokens)
	mux.Handle("/page/", tokens)
	mux.Handle(rest.Prefix+"/", api)
	return mux, nil
}

func TestPageIsBesideTheAPI(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	api, err := rest.NewHandler(h.Authority)
	require.NoError(t, err)
	handler, err := withPage(h.Authority, api)
	require.NoError(t, err)
	for _, path := range []string{"/", "/page/main.js", rest.Prefix + "/configuration"} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		require.Equal(t, http.StatusOK, w.Code, path)
	}
}
