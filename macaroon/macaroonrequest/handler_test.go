package macaroonrequest_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroonrequest"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
)

const reading = `{"caveats":["activity:DOWNLOAD,LIST"],"validity":"PT1H"}`

// verify returns what a service that enforces data caveats sees of a token.
func (f fixture) verify(t *testing.T, token macaroon.Token) (macaroon.Auth, error) {
	t.Helper()
	return f.Authority.VerifyAccess(t.Context(), token.String(), caveat.Request{DataAccess: true})
}

func TestPasswordsGiveTemporaryTokens(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	token := tokenIn(t, f.post(t, "/space1", reading))
	auth, err := f.verify(t, token)
	require.NoError(t, err)
	require.Equal(t, f.Alice, auth.Subject)
	require.NoError(t, auth.CheckFile(caveat.File{Path: "/space1/a"}, caveat.Read))
	require.ErrorIs(t, auth.CheckFile(caveat.File{Path: "/space1/a"}, caveat.Write), errors.IDTokenCaveatUnverified)
	require.ErrorIs(t, auth.CheckFile(caveat.File{Path: "/space2/a"}, caveat.Read), errors.IDTokenCaveatUnverified)
	require.NoError(t, f.Authority.RevokeTemporary(t.Context(), f.Alice))
	_, err = f.verify(t, token)
	require.ErrorIs(t, err, errors.IDTokenRevoked)
}

// The token of the client is confined: what it gets has all caveats of its own
// token, also those that the owner added to the record, and is revoked with it.
func TestConfinementIsNotEscaped(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	session := f.TokenOf(f.Alice, macaroon.AccessToken(), caveat.DataReadonly{}, caveat.DataPath{"/space1/a"})
	require.NoError(t, f.Authority.Tighten(t.Context(), session.ID(), caveat.MustParse("ip = 127.0.0.0/8")))
	everything := `{"caveats":["activity:DOWNLOAD,LIST,UPLOAD,DELETE,MANAGE"],"validity":"P30D"}`
	token := tokenIn(t, f.postAs(t, "/", everything, macaroontest.Bearer(session)))
	require.Equal(t, session.ID(), token.ID())
	require.Equal(t, session.Caveats(), token.Caveats()[:2])
	verify := func(from string) error {
		_, err := f.Authority.VerifyAccess(t.Context(), token.String(), caveat.Request{DataAccess: true, IP: netip.MustParseAddr(from)})
		return err
	}
	require.NoError(t, verify("127.0.0.1"))
	require.ErrorIs(t, verify("192.0.2.1"), errors.IDTokenCaveatUnverified)
	again := tokenIn(t, f.postAs(t, "/space2", "{}", macaroontest.Bearer(token)))
	require.Equal(t, token.Caveats(), again.Caveats()[:3])
	require.NoError(t, f.Authority.Revoke(t.Context(), session.ID()))
	require.ErrorIs(t, verify("127.0.0.1"), errors.IDTokenRevoked)
}

// A copy lives no longer than the token, and the answer says how long.
func TestAnswerSaysWhenTheTokenExpires(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	short := f.Token(caveat.Until(f.Clock.Now().Add(time.Minute)))
	for body, want := range map[string]int{reading: 60, `{"validity":"PT10S"}`: 10} {
		var answer struct {
			ExpiresIn int `json:"expires_in"`
		}
		f.postAs(t, "/", body, macaroontest.Bearer(short)).JSON(t, &answer)
		require.Equal(t, want, answer.ExpiresIn)
	}
}

func TestClientsThatGetNoToken(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for name, c := range map[string]macaroontest.Credentials{
		"anonymous": macaroontest.Anonymous(), "revoked": macaroontest.Bearer(f.Revoked()), "forged": macaroontest.Bearer(f.Forged()),
		"expired": macaroontest.Bearer(f.Expired()), "unknown caveat": macaroontest.Bearer(f.WithUnknownCaveat()),
		"truncated":      macaroontest.BearerText(f.Truncated()),
		"other address":  macaroontest.Bearer(f.Token(caveat.MustParse("ip = 192.0.2.1"))),
		"wrong password": func(r *http.Request) { r.SetBasicAuth(macaroontest.AliceName, "wrong") },
	} {
		res := f.postAs(t, "/space1", reading, c)
		require.Equal(t, http.StatusUnauthorized, res.Status, name)
		require.NotEmpty(t, res.Header.Get("WWW-Authenticate"), name)
	}
	f.Handler = macaroonrequest.New(macaroonrequest.Options{Authority: f.Authority})
	macaroontest.AssertError(t, f.post(t, "/space1", reading), errors.IDUnauthorized) // without rest.Authenticate
}

// Without an authority, tokens are confined and none are issued.
func TestServiceWithoutAnAuthorityConfines(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.Handler = behind(f.Harness, macaroonrequest.Options{Clock: f.Clock.Now, Validity: time.Minute})
	res := f.post(t, "/space1", reading)
	macaroontest.AssertStatus(t, res, http.StatusForbidden)
	macaroontest.AssertError(t, res, errors.IDForbidden)
	token := tokenIn(t, f.postAs(t, "/space1", "", macaroontest.Bearer(f.Token())))
	require.Equal(t, []string{fmt.Sprintf("time < %d", f.Clock.Now().Unix()+60), "data.path = L3NwYWNlMQ=="}, token.Caveats())
	_, err := f.verify(t, token)
	require.NoError(t, err)
}

func TestLifetimeOfTemporaryTokensIsLimited(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	res := f.post(t, "/", `{"validity":"P8D"}`)
	macaroontest.AssertStatus(t, res, http.StatusBadRequest)
	macaroontest.AssertError(t, res, errors.IDTokenTimeCaveatRequired)
}

func TestMethods(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	alice := asking(macaroontest.Basic(macaroontest.AliceName))
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, "PROPFIND"} {
		res := macaroontest.Request(t, f, method, "/space1", reading, alice)
		require.Equal(t, http.StatusMethodNotAllowed, res.Status, method)
		require.Equal(t, "OPTIONS, POST", res.Header.Get("Allow"), method)
		require.Empty(t, res.Body, method)
	}
	res := macaroontest.Request(t, f, http.MethodOptions, "/space1", nil, nil)
	require.Equal(t, http.StatusNoContent, res.Status)
	require.Equal(t, "OPTIONS, POST", res.Header.Get("Allow"))
}

func TestMediaTypes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for mediaType, want := range map[string]int{
		"application/macaroon-request": 200, "application/macaroon-request; charset=utf-8": 200, "Application/Macaroon-Request": 200,
		"": 415, "application/json": 415, "application/x-www-form-urlencoded": 415, "application/macaroon-request;;": 415,
		"application/macaroon-requests": 415, "application/json, application/macaroon-request": 415,
	} {
		res := macaroontest.Request(t, f, http.MethodPost, "/space1", reading, func(r *http.Request) {
			macaroontest.Basic(macaroontest.AliceName)(r)
			r.Header.Set("Content-Type", mediaType)
		})
		require.Equal(t, want, res.Status, mediaType)
		require.Equal(t, want == 415, res.Header.Get("Accept-Post") != "", mediaType)
	}
}

func TestBodyIsLimited(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	tokenIn(t, f.post(t, "/", strings.Repeat(" ", 16<<10-2)+"{}"))
	res := f.post(t, "/", strings.Repeat(" ", 16<<10-1)+"{}")
	macaroontest.AssertStatus(t, res, http.StatusRequestEntityTooLarge)
	macaroontest.AssertError(t, res, errors.IDLimitReached)

	many := strings.TrimSuffix(strings.Repeat(`"ip:192.0.2.1",`, 300), ",")
	macaroontest.AssertError(t, f.post(t, "/", `{"caveats":[`+many+`]}`), errors.IDLimitReached)

	r := httptest.NewRequest(http.MethodPost, "/", io.MultiReader(strings.NewReader(`{`), iotest.ErrReader(io.ErrUnexpectedEOF)))
	asking(macaroontest.Basic(macaroontest.AliceName))(r)
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	macaroontest.AssertError(t, macaroontest.Response{Status: w.Code, Body: w.Body.Bytes()}, errors.IDMalformedData)
}

func TestAnswer(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	type uri struct{ Target, Base string }
	uris := func(o macaroonrequest.Options, path string, change func(*http.Request)) uri {
		f.Handler = behind(f.Harness, o)
		res := macaroontest.Request(t, http.StripPrefix("/files", f), http.MethodPost, "/files"+path, reading, func(r *http.Request) {
			asking(macaroontest.Basic(macaroontest.AliceName))(r)
			change(r)
		})
		require.Equal(t, "application/json", res.Header.Get("Content-Type"))
		require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
		var answer struct{ URI uri }
		res.JSON(t, &answer)
		require.Equal(t, 1, strings.Count(string(res.Body), tokenIn(t, res).String()), "no URL contains the token")
		return answer.URI
	}
	o := macaroonrequest.Options{Authority: f.Authority}
	require.Equal(t, uri{"http://example.com/files/space1/a%20b", "http://example.com/"},
		uris(o, "/space1/a%20b?authz=x", func(*http.Request) {}))
	require.Equal(t, uri{"https://example.com/files/space1", "https://example.com/"},
		uris(o, "/space1", func(r *http.Request) { r.TLS = new(tls.ConnectionState) }))
	o.Origin = "https://files.example.org"
	require.Equal(t, uri{"https://files.example.org/files/space1", "https://files.example.org/"}, uris(o, "/space1", func(*http.Request) {}))
}

// An operational error says nothing about the request.
func TestStoreIsDown(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	inner := macaroonrequest.New(macaroonrequest.Options{Authority: f.Authority})
	f.Handler = rest.Authenticate(f.Authority)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.NoError(t, f.Store.Close()) // after the client has authenticated
		inner.ServeHTTP(w, r)
	}))
	res := f.post(t, "/space1", reading)
	macaroontest.AssertStatus(t, res, http.StatusServiceUnavailable)
	macaroontest.AssertError(t, res, errors.IDServiceUnavailable)
}
