package main

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheBaselineReadsTheBodyAndDoesNothingElse(t *testing.T) {
	body := strings.NewReader(strings.Repeat("x", 1000))
	w := httptest.NewRecorder()
	server("").Handler.ServeHTTP(w, httptest.NewRequest("POST", "/api/v3/onezone/tokens/verify_access_token", body))
	require.Equal(t, 200, w.Code)
	require.Empty(t, w.Body.String())
	require.Zero(t, body.Len(), "what is left of the body")
	w = httptest.NewRecorder()
	server("").Handler.ServeHTTP(w, httptest.NewRequest("GET", "/other", nil))
	require.Equal(t, 404, w.Code)
}
