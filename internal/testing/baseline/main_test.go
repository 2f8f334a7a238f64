package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const verifyPath = "/api/v3/onezone/tokens/verify_access_token"

func TestTheEmptyBaselineReadsTheBodyAndDoesNothingElse(t *testing.T) {
	body := strings.NewReader(strings.Repeat("x", 1000))
	w := httptest.NewRecorder()
	server("", true).Handler.ServeHTTP(w, httptest.NewRequest("POST", verifyPath, body))
	require.Equal(t, 200, w.Code)
	require.Empty(t, w.Body.String())
	require.Empty(t, w.Header())
	require.Zero(t, body.Len(), "what is left of the body")
	w = httptest.NewRecorder()
	server("", true).Handler.ServeHTTP(w, httptest.NewRequest("GET", "/other", nil))
	require.Equal(t, 404, w.Code)
}

func TestTheBaselineReadsTheBodyAndAnswersLikeTheService(t *testing.T) {
	body := strings.NewReader(strings.Repeat("x", 1000))
	w := httptest.NewRecorder()
	server("", false).Handler.ServeHTTP(w, httptest.NewRequest("POST", verifyPath, body))
	require.Equal(t, 200, w.Code)
	require.Equal(t, verified, w.Body.String())
	require.Equal(t, http.Header{
		"Access-Control-Allow-Origin": {"*"}, "Cache-Control": {"no-store"}, "Content-Length": {"82"},
		"Content-Type": {"application/json"}, "X-Content-Type-Options": {"nosniff"}, "X-Request-Id": {requestID},
	}, w.Header())
	require.Zero(t, body.Len(), "what is left of the body")
}
