package rest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/restcases"
	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store"
)

// narrow are the caveats of a token that is limited to a minute, a network and
// a service.
func narrow(w *restcases.Fixture) []caveat.Caveat {
	return []caveat.Caveat{
		caveat.Until(w.Clock.Now().Add(time.Minute)), caveat.MustParse("ip = 192.0.2.0/24"), caveat.MustParse("service = ozw-onezone"),
	}
}

func texts(cs []caveat.Caveat) []string {
	list := []string{}
	for _, c := range cs {
		list = append(list, c.String())
	}
	return list
}

// shown are the caveats of the tokens in a response: those of their texts, and
// those of their records, if any.
type shown struct {
	Token   string
	Tokens  []string
	Caveats []json.RawMessage
}

// given returns the tokens in a response.
func given(t *testing.T, w *restcases.Fixture, res macaroontest.Response) (tokens []macaroon.Token, record []string) {
	t.Helper()
	var body shown
	res.JSON(t, &body)
	if body.Token != "" {
		body.Tokens = []string{body.Token}
	}
	for _, text := range body.Tokens {
		token, err := w.Authority.Parse(text)
		require.NoError(t, err)
		tokens = append(tokens, token)
	}
	for _, raw := range body.Caveats {
		c, err := w.Authority.Vocabulary().FromJSON(raw)
		require.NoError(t, err)
		record = append(record, c.String())
	}
	return tokens, record
}

// reads are requests for Alice's tokens without caveats; writes create new
// tokens.
func reads(w *restcases.Fixture) map[string]restcases.Request {
	return map[string]restcases.Request{
		"by id":       {Method: "GET", Path: "/tokens/named/" + w.Laptop.ID()},
		"by name":     {Method: "GET", Path: "/user/tokens/named/name/laptop"},
		"legacy list": {Method: "GET", Path: "/user/client_tokens"},
	}
}

var writes = map[string]restcases.Request{
	"named":        {Method: "POST", Path: "/user/tokens/named", Body: `{"name":"phone","caveats":[{"type":"time","validUntil":1727784500}]}`},
	"temporary":    {Method: "POST", Path: "/user/tokens/temporary", Body: `{"caveats":[{"type":"time","validUntil":1727784500}]}`},
	"client token": {Method: "POST", Path: "/user/client_tokens", Body: `{}`},
}

// All tokens that a client creates or reads carry the caveats of its own token.
func TestConfinementHoldsOnEveryRouteThatGivesTokens(t *testing.T) {
	t.Parallel()
	for name, req := range writes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := restcases.NewFixture(t)
			req.As = w.By(t, restcases.Alice, narrow(w)...)
			tokens, _ := given(t, w, w.Do(t, req).Response)
			require.Len(t, tokens, 1)
			require.Equal(t, texts(narrow(w)), tokens[0].Caveats()[1:], "after the one that was sent")
			if tokens[0].Generation() == 0 {
				n, err := w.Authority.Get(t.Context(), tokens[0].ID())
				require.NoError(t, err)
				require.Equal(t, tokens[0].String(), n.Token.String(), "the record is confined too")
			}
		})
	}
	w := restcases.NewFixture(t)
	for name, req := range reads(w) {
		req.As = w.By(t, restcases.Alice, narrow(w)...)
		res := w.Do(t, req).Response
		tokens, record := given(t, w, res)
		require.Len(t, tokens, 1, name)
		require.Equal(t, texts(narrow(w)), tokens[0].Caveats(), name)
		if name != "legacy list" {
			require.Equal(t, tokens[0].Caveats(), record, name)
		}
	}
}

// A text that the token already has is not repeated; an equivalent text is
// added unchanged.
func TestInheritanceComparesExactTexts(t *testing.T) {
	t.Parallel()
	w := restcases.NewFixture(t)
	own, err := w.Laptop.ConfineText("ip = 192.0.2.7", "interface = rest", "ip = 192.0.2.7/32")
	require.NoError(t, err)
	tokens, _ := given(t, w, w.Do(t, restcases.Request{
		Method: "POST", Path: "/user/tokens/named", As: macaroontest.Bearer(own),
		Body: `{"name":"phone","caveats":[{"type":"ip","whitelist":["192.0.2.7"]}]}`,
	}).Response)
	require.Len(t, tokens, 1)
	require.Equal(t, []string{"ip = 192.0.2.7/32", "ip = 192.0.2.7", "interface = rest"}, tokens[0].Caveats())
	// A client already has the token that it sends to be confined.
	tokens, _ = given(t, w, w.Do(t, restcases.Request{
		Method: "POST", Path: "/tokens/confine", As: macaroontest.Bearer(own), Body: toJSON(t, map[string]any{"token": w.ID.String(), "caveats": []any{}}),
	}).Response)
	require.Len(t, tokens, 1)
	require.Equal(t, w.ID.String(), tokens[0].String())
}

// Clients without a token, or whose token has no caveats, get tokens without
// added caveats. With WithoutInheritance all clients do.
func TestUnconfinedClientsInheritNoCaveats(t *testing.T) {
	t.Parallel()
	confined := func(w *restcases.Fixture) macaroontest.Credentials { return w.By(t, restcases.Alice, narrow(w)...) }
	for name, c := range map[string]struct {
		options []rest.Option
		as      func(w *restcases.Fixture) macaroontest.Credentials
	}{
		"password":              {nil, func(*restcases.Fixture) macaroontest.Credentials { return macaroontest.Basic("alice") }},
		"token without caveats": {nil, func(w *restcases.Fixture) macaroontest.Credentials { return w.By(t, restcases.Alice) }},
		"original's behavior":   {[]rest.Option{rest.WithoutInheritance()}, confined},
	} {
		w := restcases.NewFixture(t, c.options...)
		for request, req := range reads(w) {
			req.As = c.as(w)
			tokens, record := given(t, w, w.Do(t, req).Response)
			require.Len(t, tokens, 1, name)
			require.Equal(t, w.Laptop.String(), tokens[0].String(), "%s, %s", name, request)
			require.Empty(t, record)
		}
		for request, req := range writes {
			req.As = c.as(w)
			tokens, _ := given(t, w, w.Do(t, req).Response)
			require.Len(t, tokens, 1, name)
			require.Len(t, tokens[0].Caveats(), 1, "%s, %s", name, request)
		}
	}
}

// A token that cannot carry the caveats of the client's token is refused with
// the reason. Errors in the request are reported first.
func TestTokensThatCannotInheritAreForbidden(t *testing.T) {
	t.Parallel()
	w := restcases.NewFixture(t)
	api := caveat.MustParse("api = ozw/all/*.*.*:*")
	many := make([]caveat.Caveat, macaroon.DefaultMaxCaveats)
	for i := range many {
		many[i] = caveat.Until(w.Clock.Now().Add(time.Duration(i+1) * time.Hour))
	}
	w.Named(t, "full", macaroon.Grant{Subject: restcases.Bob, Type: macaroon.AccessToken(), Caveats: many})
	invite := `"type":{"inviteToken":{"inviteType":"userJoinGroup","groupId":"g-1","parameters":{}}}`
	hour := `"caveats":[{"type":"time","validUntil":1727787600}]`
	for name, c := range map[string]struct {
		by     caveat.Subject
		caveat caveat.Caveat
		restcases.Request
		says string // "": not forbidden, but
		want *errors.Error
	}{
		"named invite token":     {restcases.Alice, api, restcases.Request{Method: "POST", Path: "/user/tokens/named", Body: `{"name":"phone",` + invite + `}`}, "type api, which invite tokens", nil},
		"temporary invite token": {restcases.Alice, api, restcases.Request{Method: "POST", Path: "/user/tokens/temporary", Body: "{" + hour + "," + invite + "}"}, "type api, which invite tokens", nil},
		"identity token": {restcases.Alice, caveat.MustParse("service = ozw-*"), restcases.Request{
			Method: "POST", Path: "/user/tokens/named", Body: `{"name":"phone","type":{"identityToken":{}}}`}, "type service, which identity tokens", nil},
		"invite token, interface": {restcases.Alice, caveat.REST, restcases.Request{Method: "POST", Path: "/user/tokens/named", Body: `{"name":"phone",` + invite + `}`}, "type interface, which invite tokens", nil},
		"too many caveats":        {restcases.Alice, api, restcases.Request{Method: "POST", Path: "/user/tokens/named", Body: toJSON(t, map[string]any{"name": "phone", "caveats": many})}, "more than 256 caveats", nil},
		"reading an invite token": {restcases.Alice, api, restcases.Request{Method: "GET", Path: "/tokens/named/" + w.Invite.ID()}, "type api, which invite tokens", nil},
		"reading by name":         {restcases.Alice, api, restcases.Request{Method: "GET", Path: "/user/tokens/named/name/identity"}, "type api, which identity tokens", nil},
		"reading a full one":      {restcases.Bob, api, restcases.Request{Method: "GET", Path: "/user/tokens/named/name/full"}, "more than 256 caveats", nil},
		"listing a full one":      {restcases.Bob, api, restcases.Request{Method: "GET", Path: "/user/client_tokens"}, "more than 256 caveats", nil},

		"another user's token":      {restcases.Bob, api, restcases.Request{Method: "GET", Path: "/tokens/named/" + w.Invite.ID()}, "", errors.Forbidden("")},
		"a token that is not there": {restcases.Ada, api, restcases.Request{Method: "GET", Path: "/tokens/named/absent"}, "", errors.NotFound()},
		"a name that is not there":  {restcases.Alice, api, restcases.Request{Method: "GET", Path: "/user/tokens/named/name/absent"}, "", errors.NotFound()},
		"a bad name":                {restcases.Alice, api, restcases.Request{Method: "POST", Path: "/user/tokens/named", Body: `{"name":5,` + invite + `}`}, "", errors.BadValueString("name")},
		"a bad target": {restcases.Alice, api, restcases.Request{Method: "POST", Path: "/user/tokens/named",
			Body: `{"name":"phone","type":{"inviteToken":{"inviteType":"userJoinGroup","groupId":"x-1","parameters":{}}}}`}, "", errors.InviteTokenTargetIDInvalid("x-1")},
		"no end": {restcases.Alice, w.Hour(), restcases.Request{Method: "POST", Path: "/user/tokens/temporary", Body: "{" + invite + "}"}, "", errors.TokenTimeCaveatRequired(604800)},
	} {
		t.Run(name, func(t *testing.T) {
			c.As = w.By(t, c.by, c.caveat)
			res := w.Do(t, c.Request).Response
			if c.want != nil {
				macaroontest.AssertStatus(t, res, c.want.HTTPStatus())
				macaroontest.AssertError(t, res, c.want.ID)
				return
			}
			macaroontest.AssertStatus(t, res, http.StatusForbidden)
			macaroontest.AssertError(t, res, errors.IDForbidden)
			var body errors.Envelope
			res.JSON(t, &body)
			require.NotNil(t, body.Error)
			require.Contains(t, body.Error.Description, c.says)
		})
	}
	// Refused requests had no effect.
	for _, subject := range []caveat.Subject{restcases.Alice, restcases.Bob} {
		_, err := w.Authority.GetByName(t.Context(), subject, "phone")
		require.ErrorIs(t, err, errors.IDNotFound)
	}
}

// A list with several pages is refused before any of it is sent.
func TestALongListWithATokenThatCannotInheritIsForbidden(t *testing.T) {
	t.Parallel()
	var logs syncbuffer.Buffer
	w := restcases.NewFixture(t, rest.WithLogger(logs.Logger()))
	for i := range 2 * store.DefaultPage {
		w.Named(t, fmt.Sprint("token ", i), macaroon.Grant{Subject: restcases.Bob, Type: macaroon.AccessToken()})
	}
	get := func() macaroontest.Response {
		return w.Do(t, restcases.Request{Method: "GET", Path: "/user/client_tokens", As: w.By(t, restcases.Bob, narrow(w)...)}).Response
	}
	res := get()
	macaroontest.AssertStatus(t, res, http.StatusOK)
	tokens, _ := given(t, w, res)
	require.Len(t, tokens, 2*store.DefaultPage)
	for _, token := range tokens {
		require.Equal(t, texts(narrow(w)), token.Caveats())
	}
	many := slices.Repeat([]caveat.Caveat{w.Hour()}, macaroon.DefaultMaxCaveats)
	w.Clock.Advance(time.Second) // so that it comes last
	w.Named(t, "full", macaroon.Grant{Subject: restcases.Bob, Type: macaroon.AccessToken(), Caveats: many})
	res = get()
	macaroontest.AssertStatus(t, res, http.StatusForbidden)
	macaroontest.AssertError(t, res, errors.IDForbidden)
	require.Empty(t, logs.String(), "a refusal is no fault")
}
