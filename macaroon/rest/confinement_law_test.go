package rest_test

import (
	"encoding/json"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/internal/testing/restcases"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/rest"
)

var poland = netip.MustParsePrefix("192.0.2.0/24")

// attempt is one request of the client.
type attempt struct {
	by         caveat.Subject
	path, body string
}

func toJSON(tb testing.TB, v any) string {
	tb.Helper()
	data, err := json.Marshal(v)
	require.NoError(tb, err)
	return string(data)
}

// attempts returns, for each route of rest.Routes, requests that can succeed.
func attempts() map[string]func(p *prisoner) attempt {
	type object = map[string]any
	var users, own = []caveat.Subject{restcases.Alice, restcases.Ada}, []caveat.Subject{restcases.Alice}
	routes := map[string]func(p *prisoner) attempt{}
	add := func(route string, clients []caveat.Subject, path string, body func(p *prisoner) any) {
		routes[route] = func(p *prisoner) attempt {
			a := attempt{by: clients[p.IntN(len(clients))], path: strings.NewReplacer(
				"{laptop}", p.w.Laptop.ID(), "{laptop text}", p.w.Laptop.String(),
				"{own}", []string{p.w.Laptop.ID(), p.w.ID.ID(), p.w.Invite.ID()}[p.IntN(3)],
			).Replace(path)}
			if body != nil {
				a.body = toJSON(p.tb, body(p))
			}
			return a
		}
	}
	token := func(pick func(w *restcases.Fixture) macaroon.Token) func(p *prisoner) any {
		return func(p *prisoner) any { return object{"token": pick(p.w).String()} }
	}
	laptop := func(w *restcases.Fixture) macaroon.Token { return w.Laptop }
	add("POST /tokens/examine", users, "/tokens/examine", token(laptop))
	add("POST /tokens/confine", users, "/tokens/confine", func(p *prisoner) any {
		return object{"token": p.w.Laptop.String(), "caveats": p.sent()}
	})
	add("POST /tokens/infer_access_token_scope", users, "/tokens/infer_access_token_scope", token(laptop))
	add("POST /tokens/verify_access_token", users, "/tokens/verify_access_token", token(laptop))
	add("POST /tokens/verify_identity_token", users, "/tokens/verify_identity_token", token(func(w *restcases.Fixture) macaroon.Token { return w.ID }))
	add("POST /tokens/verify_invite_token", users, "/tokens/verify_invite_token", token(func(w *restcases.Fixture) macaroon.Token { return w.Invite }))

	add("POST /tokens/explain", users, "/tokens/explain", token(laptop))
	add("POST /tokens/narrow", users, "/tokens/narrow", func(p *prisoner) any {
		return object{"token": p.w.Laptop.String(), "requests": []any{object{"peerIp": "192.0.2.7"}}}
	})

	add("GET /user", own, "/user", nil)
	add("GET /user/tokens/records", own, "/user/tokens/records", nil)
	add("GET /configuration", own, "/configuration", nil)
	add("GET /tokens/named", []caveat.Subject{restcases.Ada}, "/tokens/named", nil)
	add("GET /tokens/named/{id}", users, "/tokens/named/{own}", nil)
	add("PATCH /tokens/named/{id}", users, "/tokens/named/{own}", func(p *prisoner) any { return object{"name": "desk", "revoked": p.IntN(2) == 0} })
	add("DELETE /tokens/named/{id}", users, "/tokens/named/{own}", nil)
	add("GET /tokens/named/{id}/family", users, "/tokens/named/{own}/family", nil)
	add("POST /tokens/named/{id}/revoke_family", users, "/tokens/named/{own}/revoke_family", func(*prisoner) any { return object{} })
	add("GET /tokens/named/{id}/status", users, "/tokens/named/{own}/status", nil)
	add("POST /tokens/named/{id}/revoke_copy", users, "/tokens/named/{laptop}/revoke_copy", func(p *prisoner) any {
		return object{"token": p.w.Laptop.String()}
	})
	add("POST /user/client_tokens", own, "/user/client_tokens", func(*prisoner) any { return object{} })
	add("GET /user/client_tokens", own, "/user/client_tokens", nil)
	add("DELETE /user/client_tokens/{tid}", own, "/user/client_tokens/{laptop text}", nil)

	for _, h := range []struct {
		route, path, name string
		owner             caveat.Subject
		clients           []caveat.Subject
	}{
		{"/user", "/user", "laptop", restcases.Alice, own},
		{"/users/{id}", "/users/u-alice", "laptop", restcases.Alice, users},
		{"/provider", "/provider", "transfer", restcases.Krakow, []caveat.Subject{restcases.Krakow}},
		{"/providers/{id}", "/providers/p-krakow", "transfer", restcases.Krakow, []caveat.Subject{restcases.Krakow, restcases.Olga, restcases.Ada}},
	} {
		named, temporary := h.path+"/tokens/named", h.path+"/tokens/temporary"
		add("POST "+h.route+"/tokens/named", h.clients, named, func(p *prisoner) any {
			return object{"name": "phone", "type": p.tokenType(h.owner), "caveats": p.sent()[p.IntN(2):]}
		})
		add("GET "+h.route+"/tokens/named", h.clients, named, nil)
		add("DELETE "+h.route+"/tokens/named", h.clients, named, nil)
		add("GET "+h.route+"/tokens/named/name/{name}", h.clients, named+"/name/"+h.name, nil)
		add("POST "+h.route+"/tokens/temporary", h.clients, temporary, func(p *prisoner) any {
			return object{"type": p.tokenType(h.owner), "caveats": p.sent()}
		})
		add("GET "+h.route+"/tokens/temporary", h.clients, temporary, nil)
		add("DELETE "+h.route+"/tokens/temporary", h.clients, temporary, nil)
	}
	return routes
}

var tokenText = regexp.MustCompile(`[0-9A-Za-z_-]{60,}`)

// operations are operations that an access token may authorize.
var operations = []struct {
	service   caveat.ServiceType
	operation caveat.Operation
	gri       string
}{
	{caveat.OzWorker, caveat.Get, "token.t1.instance:private"}, {caveat.OzWorker, caveat.Delete, "token.t1.instance:private"},
	{caveat.OzWorker, caveat.Update, "space.s1.instance:private"}, {caveat.OzWorker, caveat.Create, "user.u1.client_tokens:private"},
	{caveat.OpWorker, caveat.Get, "op_space.s1.instance:private"},
}

// Law 11: no route gives a confined client a token that is valid where its own
// is not.
func TestLaw11ConfinementIsNotEscaped(t *testing.T) {
	t.Parallel()
	requests := attempts()
	for route := range requests {
		require.Contains(t, rest.Routes(), route, "there is no such route")
	}
	const rounds, uses = 40, 30
	for i, route := range rest.Routes() {
		t.Run(route, func(t *testing.T) {
			t.Parallel()
			ask := requests[route]
			require.NotNil(t, ask, "the law does not cover this route: add it to attempts")
			method, _, _ := strings.Cut(route, " ")
			r := rand.New(rand.NewPCG(uint64(i), 11))
			// An unconfined client shows whether the route returns tokens at
			// all.
			gives, confined, used := 0, 0, 0
			for range rounds {
				p := newPrisoner(t, r)
				a := ask(p)
				p.arrest(a.by)
				given, _ := p.do(method, a)
				gives += len(given)

				p = newPrisoner(t, r)
				a = ask(p)
				p.subject = a.by
				texts := p.texts()
				p.arrest(a.by, texts...)
				given, sent := p.do(method, a)
				confined += len(given)
				for _, token := range given {
					for range uses {
						why, good := p.escape(token, slices.Clone(sent), p.use())
						require.Empty(t, why, "the client has %q", p.own.Caveats())
						if good {
							used++
						}
					}
				}
			}
			require.Equal(t, gives > 0, confined > 0, "%d tokens without caveats, %d with", gives, confined)
			require.Equal(t, gives > 0, used > 0, "no token was good for anything")
		})
	}
}
