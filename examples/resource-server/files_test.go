package main

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
)

func TestWhatATokenMayDoIsLimitedByItsCaveats(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	files, err := newFiles(h.Authority, t.TempDir())
	require.NoError(t, err)
	const file, other = "/files/space1/dir/hello.txt", "/files/space1/other.txt"
	put := func(path string, c macaroontest.Credentials) macaroontest.Response {
		return macaroontest.Request(t, files, http.MethodPut, path, "hello", c)
	}
	get := func(path string, c macaroontest.Credentials) macaroontest.Response {
		return macaroontest.Request(t, files, http.MethodGet, path, nil, c)
	}
	full := macaroontest.Bearer(h.Token())
	macaroontest.AssertStatus(t, put(file, full), http.StatusNoContent)
	macaroontest.AssertStatus(t, put(other, full), http.StatusNoContent)
	require.Equal(t, "hello", string(get(file, full).Body))

	readonly := macaroontest.Bearer(h.Token(caveat.DataReadonly{}))
	macaroontest.AssertStatus(t, get(file, readonly), http.StatusOK)
	macaroontest.AssertError(t, put(file, readonly), errors.IDTokenCaveatUnverified)

	dir := macaroontest.Bearer(h.Token(caveat.DataPath{"/space1/dir"}))
	macaroontest.AssertStatus(t, get(file, dir), http.StatusOK)
	macaroontest.AssertStatus(t, put(file, dir), http.StatusNoContent)
	macaroontest.AssertError(t, get(other, dir), errors.IDTokenCaveatUnverified)

	reads := macaroontest.Bearer(h.Token(caveat.MustParse("api = opw/get/file.*.*:*")))
	macaroontest.AssertStatus(t, get(file, reads), http.StatusOK)
	macaroontest.AssertError(t, put(file, reads), errors.IDTokenCaveatUnverified)

	macaroontest.AssertError(t, get(file, macaroontest.Anonymous()), errors.IDUnauthorized)
	macaroontest.AssertError(t, get(file, macaroontest.Bearer(h.Revoked())), errors.IDTokenRevoked)
	macaroontest.AssertError(t, get(file, macaroontest.BearerText(h.Truncated())), errors.IDBadToken)
	macaroontest.AssertError(t, get("/files/space1/nothing", full), errors.IDNotFound)
}
