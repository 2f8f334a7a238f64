package rest_test

import (
	"context"
	"fmt"
	"net/http"
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

// twins are two requests that differ only in their paths.
type twins struct {
	method     string
	one, other string // paths
	body       string
	as         macaroontest.Credentials
}

// indistinguishable asserts that both have the same response, byte for byte.
func (q twins) indistinguishable(t *testing.T, w *restcases.Fixture) macaroontest.Response {
	t.Helper()
	identified := func(r *http.Request) {
		if q.as != nil {
			q.as(r)
		}
		r.Header.Set("X-Request-Id", "the-same")
	}
	first := w.Do(t, restcases.Request{Method: q.method, Path: q.one, Body: q.body, As: identified}).Response
	second := w.Do(t, restcases.Request{Method: q.method, Path: q.other, Body: q.body, As: identified}).Response
	require.Equal(t, first.Status, second.Status)
	require.Equal(t, first.Header, second.Header)
	require.Equal(t, string(first.Body), string(second.Body))
	return first
}

// A client without rights cannot learn whether an id is that of a token,
// neither from the response nor from errors in the rest of the request.
func TestTokenIDsCannotBeProbed(t *testing.T) {
	t.Parallel()
	outsiders := []caveat.Subject{caveat.Nobody(), restcases.Bob, restcases.Lyon}
	for _, route := range []struct{ method, suffix, body string }{
		{"GET", "", ""}, {"GET", "/status", ""}, {"DELETE", "", ""},
		{"PATCH", "", `{"name":"desk"}`}, {"PATCH", "", `{"name":5}`}, {"PATCH", "", `{}`}, {"PATCH", "", `[]`}, {"PATCH", "", `{`},
		{"PUT", "", ""},
	} {
		for _, client := range outsiders {
			t.Run(fmt.Sprint(route.method, route.suffix, route.body, " by ", client), func(t *testing.T) {
				t.Parallel()
				w := restcases.NewFixture(t)
				as := macaroontest.Anonymous()
				if client != caveat.Nobody() {
					as = w.By(t, client)
				}
				for _, id := range []string{w.Laptop.ID(), w.Transfer.ID(), w.Invite.ID()} {
					res := twins{
						method: route.method, one: "/tokens/named/" + id + route.suffix, other: "/tokens/named/absent" + route.suffix,
						body: route.body, as: as,
					}.indistinguishable(t, w)
					require.NotEqual(t, http.StatusNotFound, res.Status)
					require.GreaterOrEqual(t, res.Status, 400)
				}
			})
		}
	}
	t.Run("by a token for other things", func(t *testing.T) {
		t.Parallel()
		w := restcases.NewFixture(t)
		as := w.By(t, restcases.Alice, caveat.MustParse("api = ozw/get/space.*.*:*"))
		for _, id := range []string{w.Laptop.ID(), w.Transfer.ID()} {
			twins{method: "GET", one: "/tokens/named/" + id, other: "/tokens/named/absent", as: as}.indistinguishable(t, w)
		}
	})
}

// The legacy route to delete a token takes its text. For clients without
// rights, the response depends on the claims of the text, never on the records.
func TestLegacyTokensCannotBeProbed(t *testing.T) {
	t.Parallel()
	text := func(t *testing.T, spec macaroon.Spec) string {
		t.Helper()
		spec.Domain = "d"
		token, err := macaroon.Mint(spec, store.NewSecret("not the one"))
		require.NoError(t, err)
		return "/user/client_tokens/" + token.String()
	}
	w := restcases.NewFixture(t)
	for _, spec := range []macaroon.Spec{
		{Subject: restcases.Alice, Type: macaroon.AccessToken()},  // claims to be another user's
		{Subject: restcases.Bob, Type: macaroon.AccessToken()},    // claims to be the client's
		{Subject: restcases.Krakow, Type: macaroon.AccessToken()}, // claims to be a Oneprovider's
		{Version: 1}, // claims nothing
	} {
		there, absent := spec, spec
		there.ID, absent.ID = w.Laptop.ID(), "absent"
		for _, as := range []macaroontest.Credentials{macaroontest.Anonymous(), w.By(t, restcases.Bob), w.By(t, restcases.Lyon), w.By(t, restcases.Mia)} {
			twins{method: "DELETE", one: text(t, there), other: text(t, absent), as: as}.indistinguishable(t, w)
		}
	}
	_, err := w.Authority.Get(t.Context(), w.Laptop.ID())
	require.NoError(t, err)
}

// downRights is a Rights that always fails.
type downRights struct{ restcases.Onezone }

func (downRights) ManagesTokens(context.Context, caveat.Subject) (bool, error) {
	return false, errors.New("the directory is down")
}

func (downRights) UpdatesCluster(context.Context, caveat.Subject, string) (bool, error) {
	return false, errors.New("the directory is down")
}

// A failure reveals nothing either: if rights cannot be checked, other users'
// tokens and missing tokens have the same response.
func TestTokenIDsCannotBeProbedWhileRightsAreDown(t *testing.T) {
	t.Parallel()
	w := restcases.NewFixture(t, rest.WithRights(downRights{}))
	text := func(id string) string {
		token, err := macaroon.Mint(macaroon.Spec{Version: 1, Domain: "d", ID: id}, store.NewSecret("not the one"))
		require.NoError(t, err)
		return "/user/client_tokens/" + token.String()
	}
	for _, id := range []string{w.Laptop.ID(), w.Transfer.ID()} {
		as := w.By(t, restcases.Bob)
		for _, method := range []string{"GET", "DELETE"} {
			res := twins{method: method, one: "/tokens/named/" + id, other: "/tokens/named/absent", as: as}.indistinguishable(t, w)
			require.Equal(t, http.StatusServiceUnavailable, res.Status)
		}
		res := twins{method: "DELETE", one: text(id), other: text("absent"), as: as}.indistinguishable(t, w)
		require.Equal(t, http.StatusServiceUnavailable, res.Status)
	}
}
