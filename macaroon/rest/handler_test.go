package rest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/restcases"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store"
)

func TestOriginOfLocations(t *testing.T) {
	t.Parallel()
	w := restcases.NewFixture(t, rest.WithOrigin("http://localhost:8080"))
	x := w.Do(t, restcases.Request{Method: "POST", Path: "/user/tokens/named", Body: `{"name":"phone"}`, As: w.By(t, restcases.Alice)})
	macaroontest.AssertStatus(t, x.Response, http.StatusCreated)
	require.Regexp(t, "^http://localhost:8080/api/v3/onezone/tokens/named/[0-9a-f]{32}$", x.Response.Header.Get("Location"))
}

// Lists are complete for any number of pages, ordered by creation and then by
// id.
func TestLongLists(t *testing.T) {
	t.Parallel()
	w := restcases.NewFixture(t)
	const n = 2*store.MaxPage + 10
	want := make([]string, n)
	for i := range n {
		want[i] = fmt.Sprintf("t%05d", i)
		require.NoError(t, second(w.Store.CreateToken(t.Context(), store.Token{
			ID: want[i], Name: want[i], Version: 2, Subject: restcases.Bob, Type: "act", Secret: store.NewSecret("secret"), Created: int64(i / 2),
		}, 0)))
	}
	list := func(path string) (ids []string) {
		x := w.Do(t, restcases.Request{Method: "GET", Path: path, As: w.By(t, restcases.Bob)})
		macaroontest.AssertStatus(t, x.Response, http.StatusOK)
		var body struct{ Tokens []string }
		x.Response.JSON(t, &body)
		return body.Tokens
	}
	require.Equal(t, want, list("/user/tokens/named"))
	texts := list("/user/client_tokens")
	require.Len(t, texts, n)
	for i, text := range texts {
		token, err := w.Authority.Parse(text)
		require.NoError(t, err)
		require.Equal(t, want[i], token.ID())
	}
	x := w.Do(t, restcases.Request{Method: "DELETE", Path: "/user/tokens/named", As: w.By(t, restcases.Bob)})
	macaroontest.AssertStatus(t, x.Response, http.StatusNoContent)
	require.Empty(t, list("/user/tokens/named"))
}

// A record of another program may lack fields that this package writes, and
// have unknown ones.
func TestForeignRecordIsShown(t *testing.T) {
	t.Parallel()
	w := restcases.NewFixture(t)
	require.NoError(t, second(w.Store.CreateToken(t.Context(), store.Token{
		ID: "foreign", Name: "foreign", Version: 1, Subject: restcases.Alice, Type: "act", Secret: store.NewSecret("secret"),
		Caveats: []string{"moon = full", "time < 2000000000"}, Created: 5,
	}, 0)))
	x := w.Do(t, restcases.Request{Method: "GET", Path: "/user/tokens/named/name/foreign", As: w.By(t, restcases.Alice)})
	macaroontest.AssertStatus(t, x.Response, http.StatusOK)
	var body map[string]json.RawMessage
	x.Response.JSON(t, &body)
	require.JSONEq(t, `{"creationTime":5,"custom":{}}`, string(body["metadata"]))
	require.JSONEq(t, `[{"type":"unknown","text":"moon = full"},{"type":"time","validUntil":2000000000}]`, string(body["caveats"]))
	require.JSONEq(t, `{"type":"user","id":"u-alice"}`, string(body["subject"]), "the record knows")
}

// A handler without interfaces for other entities refuses requests that need
// them, and serves the others.
func TestHandlerWithoutEntitiesServesTokens(t *testing.T) {
	t.Parallel()
	w := restcases.NewFixture(t)
	handler, err := rest.NewHandler(w.Authority, rest.WithLogger(nil))
	require.NoError(t, err)
	w.Handler = handler
	for path, status := range map[string]int{
		"/tokens/named":                              http.StatusForbidden,
		"/tokens/named/" + w.Laptop.ID():             http.StatusOK,
		"/tokens/named/" + w.Transfer.ID():           http.StatusForbidden,
		"/tokens/named/absent":                       http.StatusForbidden,
		"/tokens/named/absent/status":                http.StatusForbidden,
		"/tokens/named/" + w.Invite.ID() + "/status": http.StatusOK,
		"/providers/p-krakow/tokens/named":           http.StatusForbidden,
		"/providers/p-krakow/tokens/temporary":       http.StatusForbidden,
		"/users/u-bob/tokens/named":                  http.StatusForbidden,
		"/user/tokens/named":                         http.StatusOK,
	} {
		x := w.Do(t, restcases.Request{Method: "GET", Path: path, As: w.By(t, restcases.Alice)})
		require.Equal(t, status, x.Response.Status, path)
	}
}

// generous gives all rights to everybody.
type generous struct{ restcases.Onezone }

func (generous) UpdatesCluster(context.Context, caveat.Subject, string) (bool, error) {
	return true, nil
}
func (generous) InProvider(context.Context, caveat.Subject, string) (bool, error) { return true, nil }
func (generous) InCluster(context.Context, caveat.Subject, string) (bool, error)  { return true, nil }

type lavish struct{ generous }

func (lavish) ManagesTokens(context.Context, caveat.Subject) (bool, error) { return true, nil }

// Rights apply only to the kinds of clients and tokens of the API, whatever the
// application returns.
func TestRightsAreLimitedByTheAPI(t *testing.T) {
	t.Parallel()
	w := restcases.NewFixture(t, rest.WithRights(generous{}))
	laptop, transfer := "/tokens/named/"+w.Laptop.ID(), "/tokens/named/"+w.Transfer.ID()
	status := func(rights rest.Rights, client caveat.Subject, path string) int {
		w := *w
		handler, err := rest.NewHandler(w.Authority, rest.WithRights(rights))
		require.NoError(t, err)
		w.Handler = handler
		return w.Do(t, restcases.Request{Method: "GET", Path: path, As: w.By(t, client)}).Response.Status
	}
	for _, c := range []struct {
		rights rest.Rights
		client caveat.Subject
		path   string
		want   int
	}{
		{generous{}, restcases.Bob, laptop, 403}, // of a user, for a user
		{generous{}, restcases.Bob, laptop + "/status", 403},
		{generous{}, restcases.Bob, "/users/u-alice/tokens/temporary", 403},
		{generous{}, restcases.Lyon, laptop, 403}, // a Oneprovider may know, not manage
		{generous{}, restcases.Lyon, laptop + "/status", 200},
		{generous{}, restcases.Lyon, "/users/u-alice/tokens/temporary", 200},
		{generous{}, restcases.Lyon, transfer, 403}, // of a Oneprovider, for another
		{generous{}, restcases.Lyon, transfer + "/status", 403},
		{generous{}, restcases.Lyon, "/providers/p-krakow/tokens/named", 403},
		{generous{}, restcases.Bob, transfer, 200},
		{generous{}, restcases.Bob, transfer + "/status", 200},
		{lavish{}, restcases.Bob, laptop, 200},
		{lavish{}, restcases.Bob, "/tokens/named", 200},
		{lavish{}, restcases.Lyon, "/tokens/named", 403}, // no admin privilege for Oneproviders
		{lavish{}, restcases.Lyon, laptop, 403},
		{lavish{}, restcases.Lyon, "/users/u-alice/tokens/named", 403},
		{lavish{}, restcases.Lyon, "/user/client_tokens", 404},
	} {
		require.Equal(t, c.want, status(c.rights, c.client, c.path), "%T, %v, %s", c.rights, c.client, c.path)
	}
}

// Every route accepts the caveats of the application.
func TestVocabularyOfTheApplication(t *testing.T) {
	t.Parallel()
	v, err := caveat.NewVocabulary(caveat.Kind{Name: "moon", Satisfied: func(_ context.Context, value string, _ *caveat.Request) (bool, error) {
		return value == "full", nil
	}})
	require.NoError(t, err)
	h := macaroontest.New(t, macaroon.WithVocabulary(v))
	s := macaroontest.Serve(h)
	res := s.Do("POST", "/user/tokens/named", json.RawMessage(`{"name":"phone","caveats":[{"type":"moon","value":"full"}]}`), macaroontest.Basic("alice"))
	macaroontest.AssertStatus(t, res, http.StatusCreated)
	var body struct{ Token string }
	res.JSON(t, &body)
	res = s.Do("POST", "/tokens/examine", map[string]string{"token": body.Token}, macaroontest.Anonymous())
	macaroontest.AssertStatus(t, res, http.StatusOK)
	require.Contains(t, string(res.Body), `{"type":"moon","value":"full"}`)
	res = s.Do("GET", "/user/tokens/named", nil, macaroontest.BearerText(body.Token))
	macaroontest.AssertStatus(t, res, http.StatusOK)
	res = s.Do("POST", "/user/tokens/named", json.RawMessage(`{"name":"desk","caveats":[{"type":"moon","value":""}]}`), macaroontest.Basic("alice"))
	macaroontest.AssertStatus(t, res, http.StatusBadRequest)
}

// Responses do not depend on the framing of the connection.
func TestOverASocket(t *testing.T) {
	t.Parallel()
	s := macaroontest.NewServer(t)
	res := s.Do("POST", "/user/client_tokens", nil, macaroontest.Basic("alice"))
	macaroontest.AssertStatus(t, res, http.StatusOK)
	require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
	var body struct{ Token string }
	res.JSON(t, &body)
	res = s.Do("GET", "/user/client_tokens/", nil, macaroontest.BearerText(body.Token))
	macaroontest.AssertStatus(t, res, http.StatusOK)
	require.Contains(t, string(res.Body), body.Token)
	res = s.Do("DELETE", "/user/client_tokens/"+body.Token, nil, macaroontest.BearerText(body.Token))
	macaroontest.AssertStatus(t, res, http.StatusNoContent)
	require.Empty(t, res.Body)
	res = s.Do("POST", "/tokens/examine", strings.Repeat(" ", 2<<20)+"{}", macaroontest.Anonymous())
	macaroontest.AssertStatus(t, res, http.StatusRequestEntityTooLarge)
	tooLarge := strings.Repeat("M", macaroon.DefaultMaxSize+1)
	for _, headers := range [][]string{{"X-Auth-Token"}, {"Macaroon"}, {"X-Onedata-Service-Token", "X-Onedata-Consumer-Token"}} {
		res = s.Do("GET", "/user/tokens/named", nil, func(r *http.Request) {
			if len(headers) > 1 {
				macaroontest.Bearer(s.Token())(r)
			}
			for _, header := range headers {
				r.Header.Set(header, tooLarge)
			}
		})
		macaroontest.AssertStatus(t, res, http.StatusUnauthorized)
		macaroontest.AssertError(t, res, errors.IDTokenTooLarge)
	}
}

// second returns the error of a call whose result does not matter.
func second[T any](_ T, err error) error { return err }
