package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
)

// The service works alike with an authority of its own and with the Onezone of
// somebody else.
func TestWhatATokenMayDoIsLimitedByItsCaveats(t *testing.T) {
	t.Parallel()
	onezone := macaroontest.NewRemote(t)
	onezone.Clock.Set(time.Now()) // the client of the service has no other clock
	client, _, err := newVerifier(onezone.Origin)
	require.NoError(t, err)
	for name, verifier := range map[string]macaroon.Verifier{"its own": onezone.Authority, "of somebody else": client} {
		t.Run(name, func(t *testing.T) {
			asked := len(onezone.Requests("/tokens/verify_access_token"))
			testFiles(t, onezone.Harness, verifier)
			require.Equal(t, name == "of somebody else", len(onezone.Requests("/tokens/verify_access_token")) > asked)
		})
	}
}

// testFiles uses the service with the tokens of the harness.
func testFiles(t *testing.T, h *macaroontest.Harness, verifier macaroon.Verifier) {
	t.Helper()
	files, err := newFiles(verifier, t.TempDir())
	require.NoError(t, err)
	const file, other = "/files/space1/dir/hello.txt", "/files/space1/other.txt"
	put := func(path string, c macaroontest.Credentials) macaroontest.Response {
		return macaroontest.Request(t, files, http.MethodPut, path, "hello", c)
	}
	get := func(path string, c macaroontest.Credentials) macaroontest.Response {
		return macaroontest.Request(t, files, http.MethodGet, path, nil, c)
	}
	full := macaroontest.Bearer(h.Token())
	macaroontest.AssertStatus(t, put(file, full), http.StatusCreated)
	macaroontest.AssertStatus(t, put(other, full), http.StatusCreated)
	require.Equal(t, "hello", string(get(file, full).Body))

	readonly := macaroontest.Bearer(h.Token(caveat.DataReadonly{}))
	macaroontest.AssertStatus(t, get(file, readonly), http.StatusOK)
	macaroontest.AssertError(t, put(file, readonly), errors.IDTokenCaveatUnverified)

	dir := macaroontest.Bearer(h.Token(caveat.DataPath{"/space1/dir"}))
	macaroontest.AssertStatus(t, get(file, dir), http.StatusOK)
	macaroontest.AssertStatus(t, put(file, dir), http.StatusCreated)
	macaroontest.AssertError(t, get(other, dir), errors.IDTokenCaveatUnverified)

	reads := macaroontest.Bearer(h.Token(caveat.MustParse("api = opw/get/file.*.*:*")))
	macaroontest.AssertStatus(t, get(file, reads), http.StatusOK)
	macaroontest.AssertError(t, put(file, reads), errors.IDTokenCaveatUnverified)

	macaroontest.AssertError(t, get(file, macaroontest.Anonymous()), errors.IDUnauthorized)
	macaroontest.AssertError(t, get(file, macaroontest.Bearer(h.Revoked())), errors.IDTokenRevoked)
	macaroontest.AssertError(t, get(file, macaroontest.BearerText(h.Truncated())), errors.IDBadToken)
	macaroontest.AssertError(t, get("/files/space1/nothing", full), errors.IDNotFound)
}

// An Onezone that does not answer says nothing about a token.
func TestOnezoneIsDown(t *testing.T) {
	t.Parallel()
	onezone := macaroontest.NewRemote(t)
	client, _, err := newVerifier(onezone.Origin)
	require.NoError(t, err)
	files, err := newFiles(client, t.TempDir())
	require.NoError(t, err)
	onezone.Stop()
	res := macaroontest.Get(t, files, "/files/space1/hello.txt", onezone.Token())
	macaroontest.AssertStatus(t, res, http.StatusServiceUnavailable)
	macaroontest.AssertError(t, res, errors.IDServiceUnavailable)
}

func TestURLOfTheOnezoneIsChecked(t *testing.T) {
	t.Parallel()
	_, _, err := newVerifier("http://onezone.example.org")
	require.ErrorIs(t, err, errors.IDBadData)
	own, token, err := newVerifier("")
	require.NoError(t, err)
	require.IsType(t, &macaroon.Authority{}, own)
	_, err = own.VerifyAccess(t.Context(), token, caveat.Request{})
	require.NoError(t, err)
}
