package rest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/restcases"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/store"
)

// client makes requests with the same credentials.
type client struct {
	w  *restcases.Fixture
	as macaroontest.Credentials
}

func (c client) do(t *testing.T, method, path, body string) macaroontest.Response {
	t.Helper()
	return c.w.Do(t, restcases.Request{Method: method, Path: path, Body: body, As: c.as}).Response
}

// member returns a member of the record of a token.
func (c client) member(t *testing.T, id, key string) any {
	t.Helper()
	res := c.do(t, "GET", "/tokens/named/"+id, "")
	macaroontest.AssertStatus(t, res, http.StatusOK)
	var body map[string]any
	res.JSON(t, &body)
	if _, ok := body[key]; !ok {
		return "absent"
	}
	return body[key]
}

// verify presents the token from the address.
func verify(t *testing.T, w *restcases.Fixture, token macaroon.Token, address string) macaroontest.Response {
	t.Helper()
	return w.Do(t, restcases.Request{
		Method: "POST", Path: "/tokens/verify_access_token", Body: fmt.Sprintf(`{"token":%q,"peerIp":%q}`, token.String(), address),
	}).Response
}

const (
	onlyCampus = `{"type":"ip","whitelist":["10.0.0.0/8"]}`
	onlyREST   = `{"type":"interface","interface":"rest"}`
)

func TestPatchTightensAndLoosens(t *testing.T) {
	t.Parallel()
	w := restcases.NewFixture(t)
	alice, path := client{w, w.By(t, restcases.Alice)}, "/tokens/named/"+w.Laptop.ID()
	macaroontest.AssertStatus(t, verify(t, w, w.Laptop, "192.0.2.1"), http.StatusOK)
	macaroontest.AssertStatus(t, alice.do(t, "PATCH", path, `{"serverCaveats":[`+onlyCampus+`]}`), http.StatusNoContent)
	res := verify(t, w, w.Laptop, "192.0.2.1")
	macaroontest.AssertError(t, res, errors.IDTokenCaveatUnverified)
	require.Contains(t, string(res.Body), "a caveat added by the owner on 2024-10-01")

	// Those who verify, examine and show it see what was added, and when.
	added := fmt.Sprint(macaroontest.Start.Unix())
	res = verify(t, w, w.Laptop, "10.0.0.1")
	require.JSONEq(t, `{"subject":{"type":"user","id":"u-alice"},"ttl":null,"serverCaveats":[`+onlyCampus+`],"serverCaveatsAdded":[`+added+`]}`, string(res.Body))
	examine := func(token macaroon.Token) string {
		return string(w.Do(t, restcases.Request{Method: "POST", Path: "/tokens/examine", Body: fmt.Sprintf(`{"token":%q}`, token.String())}).Response.Body)
	}
	require.Contains(t, examine(w.Laptop), `"serverCaveats":[`+onlyCampus+`],"serverCaveatsAdded":[`+added+`]`)
	require.NotContains(t, examine(w.Transfer), "serverCaveats")
	forged, err := macaroon.Mint(macaroon.Spec{
		Domain: w.Laptop.Domain(), ID: w.Laptop.ID(), Subject: w.Laptop.Subject(), Type: w.Laptop.Type(),
	}, store.NewSecret("a guess"))
	require.NoError(t, err)
	require.NotContains(t, examine(forged), "serverCaveats", "a guessed token shows the record")
	require.Len(t, alice.member(t, w.Laptop.ID(), "serverCaveats"), 1)
	require.EqualValues(t, []any{float64(macaroontest.Start.Unix())}, alice.member(t, w.Laptop.ID(), "serverCaveatsAdded"))

	macaroontest.AssertStatus(t, alice.do(t, "PATCH", path, `{"serverCaveats":[],"name":"desk"}`), http.StatusNoContent)
	macaroontest.AssertStatus(t, verify(t, w, w.Laptop, "192.0.2.1"), http.StatusOK)
	require.Empty(t, alice.member(t, w.Laptop.ID(), "serverCaveats"))
}

// A client with caveats, in its token or added to it, tightens and does not
// loosen.
func TestAConfinedClientOnlyTightens(t *testing.T) {
	t.Parallel()
	for what, confine := range map[string]func(t *testing.T, w *restcases.Fixture) macaroontest.Credentials{
		"by its token": func(t *testing.T, w *restcases.Fixture) macaroontest.Credentials {
			return w.By(t, restcases.Alice, narrow(w)...)
		},
		"by its record": func(t *testing.T, w *restcases.Fixture) macaroontest.Credentials {
			token := w.Named(t, "tightened", macaroon.Grant{Subject: restcases.Alice, Type: macaroon.AccessToken()})
			require.NoError(t, w.Authority.Tighten(t.Context(), token.ID(), narrow(w)...))
			return macaroontest.Bearer(token)
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := restcases.NewFixture(t)
			prisoner, free := client{w, confine(t, w)}, client{w, w.By(t, restcases.Alice)}
			path := "/tokens/named/" + w.Laptop.ID()
			macaroontest.AssertStatus(t, prisoner.do(t, "PATCH", path, `{"serverCaveats":[`+onlyCampus+`]}`), http.StatusNoContent)
			macaroontest.AssertStatus(t, prisoner.do(t, "PATCH", path, `{"serverCaveats":[`+onlyCampus+`,`+onlyREST+`]}`), http.StatusNoContent)
			for _, body := range []string{`{"serverCaveats":[]}`, `{"serverCaveats":[` + onlyREST + `]}`, `{"bait":"alarm"}`, `{"bait":null}`} {
				res := prisoner.do(t, "PATCH", path, body)
				macaroontest.AssertStatus(t, res, http.StatusForbidden)
				macaroontest.AssertError(t, res, errors.IDForbidden)
				require.Contains(t, string(res.Body), "without caveats")
			}
			require.Len(t, free.member(t, w.Laptop.ID(), "serverCaveats"), 2)
			macaroontest.AssertStatus(t, prisoner.do(t, "POST", "/user/tokens/named", `{"name":"canary","bait":"alarm"}`), http.StatusForbidden)
			require.Equal(t, "absent", prisoner.member(t, w.Laptop.ID(), "bait"), "a confined client learns which tokens are canaries")
			macaroontest.AssertStatus(t, free.do(t, "PATCH", path, `{"serverCaveats":[]}`), http.StatusNoContent)
			// What it reads is confined by what was added to its own token.
			tokens, _ := given(t, w, prisoner.do(t, "GET", path, ""))
			require.Equal(t, texts(narrow(w)), tokens[0].Caveats())
		})
	}
}

// A client without the right to a token gets the same answer for each route,
// whether the token exists or not.
func TestOthersDoNotTighten(t *testing.T) {
	t.Parallel()
	w := restcases.NewFixture(t)
	bob := client{w, w.By(t, restcases.Bob)}
	var answers []string
	for _, id := range []string{w.Laptop.ID(), "absent"} {
		for _, r := range []restcases.Request{
			{Method: "PATCH", Path: "/tokens/named/" + id, Body: `{"serverCaveats":[` + onlyREST + `]}`},
			{Method: "GET", Path: "/tokens/named/" + id + "/family"},
			{Method: "POST", Path: "/tokens/named/" + id + "/revoke_family", Body: `{}`},
			{Method: "DELETE", Path: "/tokens/named/" + id + "?children=delete"},
		} {
			res := bob.do(t, r.Method, r.Path, r.Body)
			macaroontest.AssertStatus(t, res, http.StatusForbidden)
			answers = append(answers, string(res.Body))
		}
	}
	require.Equal(t, answers[:4], answers[4:])
}

func TestAFamilyIsShownRevokedAndDeleted(t *testing.T) {
	t.Parallel()
	w := restcases.NewFixture(t)
	alice := client{w, w.By(t, restcases.Alice)}
	minter := client{w, macaroontest.Bearer(w.Laptop)}
	mint := func(by client, name string) macaroon.Token {
		tokens, _ := given(t, w, by.do(t, "POST", "/user/tokens/named", `{"name":"`+name+`"}`))
		require.Len(t, tokens, 1)
		return tokens[0]
	}
	child := mint(minter, "child")
	grandchild := mint(client{w, macaroontest.Bearer(child)}, "grandchild")
	require.Equal(t, w.Laptop.ID(), alice.member(t, child.ID(), "parentTokenId"))
	require.Nil(t, alice.member(t, w.Laptop.ID(), "parentTokenId"))
	// One for somebody else is shown without its name.
	auth, err := w.Authority.VerifyAccess(t.Context(), child.String(), caveat.Request{})
	require.NoError(t, err)
	_, err = w.Authority.IssueNamed(t.Context(), "for bob", macaroon.Grant{Subject: restcases.Bob, Type: macaroon.AccessToken(), Parent: &auth})
	require.NoError(t, err)

	res := alice.do(t, "GET", "/tokens/named/"+w.Laptop.ID()+"/family", "")
	macaroontest.AssertStatus(t, res, http.StatusOK)
	for _, name := range []string{`"laptop"`, `"child"`, `"grandchild"`, `"name":null,"subject":null,"type":null`} {
		require.Contains(t, string(res.Body), name)
	}
	require.NotContains(t, string(res.Body), "for bob")
	require.NotContains(t, string(res.Body), child.String(), "the text of a token")
	ada := client{w, w.By(t, restcases.Ada)}
	require.Contains(t, string(ada.do(t, "GET", "/tokens/named/"+w.Laptop.ID()+"/family", "").Body), "for bob")

	macaroontest.AssertStatus(t, alice.do(t, "POST", "/tokens/named/"+child.ID()+"/revoke_family", `{}`), http.StatusNoContent)
	for _, token := range []macaroon.Token{child, grandchild} {
		macaroontest.AssertError(t, verify(t, w, token, "192.0.2.1"), errors.IDTokenRevoked)
	}
	macaroontest.AssertStatus(t, verify(t, w, w.Laptop, "192.0.2.1"), http.StatusOK)

	macaroontest.AssertError(t, alice.do(t, "DELETE", "/tokens/named/"+child.ID()+"?children=adopt", ""), errors.IDBadValueNotAllowed)
	macaroontest.AssertStatus(t, alice.do(t, "DELETE", "/tokens/named/"+child.ID()+"?children=delete", ""), http.StatusNoContent)
	macaroontest.AssertStatus(t, alice.do(t, "GET", "/tokens/named/"+child.ID(), ""), http.StatusForbidden)
	macaroontest.AssertStatus(t, alice.do(t, "GET", "/tokens/named/"+grandchild.ID(), ""), http.StatusForbidden)
}

func TestDeletingAParentDoesWhatTheQuerySays(t *testing.T) {
	t.Parallel()
	for children, want := range map[string]errors.ID{"": "", "?children=keep": "", "?children=revoke": errors.IDTokenRevoked, "?children=delete": errors.IDTokenInvalid} {
		w := restcases.NewFixture(t)
		alice := client{w, w.By(t, restcases.Alice)}
		tokens, _ := given(t, w, client{w, macaroontest.Bearer(w.Laptop)}.do(t, "POST", "/user/tokens/named", `{"name":"child"}`))
		macaroontest.AssertStatus(t, alice.do(t, "DELETE", "/tokens/named/"+w.Laptop.ID()+children, ""), http.StatusNoContent)
		macaroontest.AssertError(t, verify(t, w, w.Laptop, "192.0.2.1"), errors.IDTokenInvalid)
		res := verify(t, w, tokens[0], "192.0.2.1")
		if want == "" {
			macaroontest.AssertStatus(t, res, http.StatusOK)
			continue
		}
		macaroontest.AssertError(t, res, want)
	}
}

func TestACanaryOverTheAPI(t *testing.T) {
	t.Parallel()
	w := restcases.NewFixture(t)
	alice := client{w, w.By(t, restcases.Alice)}
	res := alice.do(t, "POST", "/user/tokens/named", `{"name":"canary","bait":"revokeFamily"}`)
	macaroontest.AssertStatus(t, res, http.StatusCreated)
	tokens, _ := given(t, w, res)
	canary := tokens[0]
	require.Equal(t, "revokeFamily", alice.member(t, canary.ID(), "bait"))
	revoked := w.Named(t, "revoked", macaroon.Grant{Subject: restcases.Alice, Type: macaroon.AccessToken(), Revoked: true})
	// The two get the same answers.
	for _, ask := range []func(macaroon.Token) macaroontest.Response{
		func(token macaroon.Token) macaroontest.Response { return verify(t, w, token, "192.0.2.1") },
		func(token macaroon.Token) macaroontest.Response {
			return client{w, macaroontest.Bearer(token)}.do(t, "GET", "/user", "")
		},
	} {
		got, want := ask(canary), ask(revoked)
		require.Equal(t, want.Status, got.Status)
		require.Equal(t, string(want.Body), string(got.Body))
	}
	require.Eventually(t, func() bool {
		n, err := w.Authority.Get(t.Context(), canary.ID())
		return err == nil && n.Revoked
	}, 20*time.Second, time.Millisecond)
	macaroontest.AssertStatus(t, alice.do(t, "PATCH", "/tokens/named/"+w.Laptop.ID(), `{"bait":"alarm"}`), http.StatusNoContent)
	macaroontest.AssertError(t, verify(t, w, w.Laptop, "192.0.2.1"), errors.IDTokenRevoked)
	macaroontest.AssertStatus(t, alice.do(t, "PATCH", "/tokens/named/"+w.Laptop.ID(), `{"bait":null}`), http.StatusNoContent)
	macaroontest.AssertStatus(t, verify(t, w, w.Laptop, "192.0.2.1"), http.StatusOK)
	require.False(t, strings.Contains(string(alice.do(t, "GET", "/user/tokens/records", "").Body), canary.String()))
}
