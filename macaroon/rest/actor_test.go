package rest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store/memory"
)

// trail records the calls of the observers.
type trail struct {
	mu     sync.Mutex
	events []macaroon.Event
	actors []macaroon.Actor
}

func (s *trail) observe(_ context.Context, e macaroon.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
}

func (s *trail) see(_ context.Context, a macaroon.Actor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.actors = append(s.actors, a)
}

func TestEventsNameTheirClientAndRequest(t *testing.T) {
	t.Parallel()
	var seen trail
	a := newUsers(t, memory.New(), macaroon.WithObserver(seen.observe))
	alice, err := a.LogIn(t.Context(), "alice", macaroontest.Password)
	require.NoError(t, err)
	token, err := a.IssueLegacy(t.Context(), alice, nil)
	require.NoError(t, err)
	handler, err := rest.NewHandler(a, rest.WithActorObserver(seen.see), rest.WithIdentityProvider(providerOf{alice}))
	require.NoError(t, err)
	address := netip.MustParseAddr("192.0.2.5")
	at := macaroon.Actor{Address: address, RequestID: "r-1"}
	byPassword := macaroon.Actor{Subject: alice, Method: macaroon.ByPassword, Address: address, RequestID: "r-1"}
	byToken := macaroon.Actor{Subject: alice, Method: macaroon.ByToken, TokenID: token.ID(), Address: address, RequestID: "r-1"}
	byProvider := macaroon.Actor{Subject: alice, Method: macaroon.ByIdentityProvider, Address: address, RequestID: "r-1"}
	type told struct {
		kind  macaroon.EventKind
		actor macaroon.Actor
	}
	for _, c := range []struct {
		name   string
		as     macaroontest.Credentials
		status int
		events []told
		actors []macaroon.Actor
	}{
		{"password", macaroontest.Basic("alice"), 200,
			[]told{{macaroon.LoggedIn, at}, {macaroon.Issued, byPassword}}, []macaroon.Actor{at, byPassword}},
		{"token", macaroontest.Bearer(token), 200,
			[]told{{macaroon.Verified, at}, {macaroon.Issued, byToken}}, []macaroon.Actor{at, byToken}},
		{"identity provider", macaroontest.BearerText("idp-alice"), 200, []told{{macaroon.Issued, byProvider}}, []macaroon.Actor{at, byProvider}},
		{"wrong password", func(r *http.Request) { r.SetBasicAuth("alice", "wrong") }, 401,
			[]told{{macaroon.LogInFailed, at}}, []macaroon.Actor{at}},
		{"nobody", macaroontest.Anonymous(), 401, nil, []macaroon.Actor{at}},
	} {
		seen.events, seen.actors = nil, nil
		res := macaroontest.Request(t, handler, "POST", rest.Prefix+"/user/client_tokens", "{}", func(r *http.Request) {
			c.as(r)
			r.RemoteAddr = "192.0.2.5:1"
			r.Header.Set("X-Request-Id", "r-1")
		})
		macaroontest.AssertStatus(t, res, c.status)
		require.Equal(t, "r-1", res.Header.Get("X-Request-Id"))
		var events []told
		for _, e := range seen.events {
			events = append(events, told{e.Kind, e.Actor})
		}
		require.Equal(t, c.events, events, c.name)
		require.Equal(t, c.actors, seen.actors, c.name)
	}
}

func TestRequestIDsAreTakenWhenPlainAndMadeOtherwise(t *testing.T) {
	t.Parallel()
	a := newUsers(t, memory.New())
	api, err := rest.NewHandler(a)
	require.NoError(t, err)
	behind := rest.Authenticate(a)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(macaroon.ActorFrom(r.Context()).RequestID))
	}))
	for _, c := range []struct {
		sent  []string
		taken bool
	}{
		{[]string{"4bf92f35-77b3.4da6_A"}, true},
		{[]string{strings.Repeat("a", 64)}, true},
		{[]string{strings.Repeat("a", 65)}, false},
		{[]string{""}, false},
		{nil, false},
		{[]string{"a", "b"}, false},
		{[]string{"a b"}, false},
		{[]string{"a\nb"}, false},
		{[]string{"a\u202eb"}, false},
		{[]string{"a;b=\"c\""}, false},
		{[]string{strings.Repeat("\xff", 1<<20)}, false},
	} {
		for _, path := range []string{"/configuration", "/user/tokens/named", "/no/such/route"} {
			for _, handler := range []http.Handler{api, behind} {
				r := httptest.NewRequest("GET", rest.Prefix+path, nil)
				r.Header["X-Request-Id"] = c.sent
				rec := httptest.NewRecorder()
				handler.ServeHTTP(rec, r)
				got := rec.Header()["X-Request-Id"]
				require.Len(t, got, 1)
				if c.taken {
					require.Equal(t, c.sent, got)
				} else {
					id, err := uuid.Parse(got[0])
					require.NoError(t, err, "%q", c.sent)
					require.Equal(t, uuid.Version(7), id.Version())
				}
			}
		}
	}
	// A request keeps its id through all middleware.
	r := httptest.NewRequest("GET", "/", nil)
	rec := httptest.NewRecorder()
	var outer trail
	rest.Authenticate(a, rest.WithActorObserver(outer.see))(behind).ServeHTTP(rec, r)
	require.Equal(t, outer.actors[0].RequestID, rec.Body.String())
	require.Equal(t, outer.actors[0].RequestID, rec.Header().Get("X-Request-Id"))
}

func TestAnAccessLogInFrontSeesTheRoute(t *testing.T) {
	t.Parallel()
	api, err := rest.NewHandler(newUsers(t, memory.New()))
	require.NoError(t, err)
	for path, pattern := range map[string]string{
		"/tokens/named/x": "/tokens/named/{id}", "/tokens/named/x/": "/tokens/named/{id}", "/configuration": "/configuration",
	} {
		r := httptest.NewRequest("GET", rest.Prefix+path, nil)
		api.ServeHTTP(httptest.NewRecorder(), r)
		require.Equal(t, rest.Prefix+pattern, r.Pattern)
	}
}

// providerOf is an identity provider of one user.
type providerOf struct{ user caveat.Subject }

func (p providerOf) Identify(context.Context, string) (caveat.Subject, error) { return p.user, nil }

// A throttled client gets Retry-After, also from middleware.
func TestThrottledClientsGetRetryAfter(t *testing.T) {
	t.Parallel()
	a := newUsers(t, memory.New(), macaroon.WithThrottle(1, 90*time.Second))
	behind := rest.Authenticate(a)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	require.Equal(t, http.StatusUnauthorized, logIn(t, behind, "alice", "wrong", "192.0.2.1").Status)
	res := logIn(t, behind, "alice", "wrong", "192.0.2.2")
	macaroontest.AssertStatus(t, res, http.StatusTooManyRequests)
	macaroontest.AssertError(t, res, errors.IDTemporaryFailure)
	require.Equal(t, "90", res.Header.Get("Retry-After"))
}
