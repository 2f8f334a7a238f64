package rest_test

import (
	"context"
	"io"
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

func TestClientFromKnowsOnlyClientsOfAuthenticate(t *testing.T) {
	t.Parallel()
	_, ok := rest.ClientFrom(context.Background())
	require.False(t, ok)
}

// A service whose files are resources for api caveats.
func TestRequire(t *testing.T) {
	t.Parallel()
	w := restcases.NewFixture(t)
	mux := http.NewServeMux()
	done := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "done") })
	mux.Handle("GET /files/{id}", rest.Require(caveat.OpWorker, caveat.Get, "file.{id}.content:private")(done))
	mux.Handle("GET /spaces/{id}/users/{user}", rest.Require(caveat.OpWorker, caveat.Get, "op_space.{id}.user,{user}")(done))
	service := caveat.Service{Type: caveat.OpWorker, ID: "p-krakow"}
	handler := rest.Authenticate(w.Authority, rest.AsService(service))(mux)

	for _, c := range []struct {
		name, path, caveat string
		status             int
	}{
		{"no caveat", "/files/f1", "", 200},
		{"the file", "/files/f1", "api = opw/get/file.f1.content", 200},
		{"another file", "/files/f2", "api = opw/get/file.f1.content", 401},
		{"another operation", "/files/f1", "api = opw/update/file.f1.content", 401},
		{"another service", "/files/f1", "api = ozw/get/file.f1.content", 401},
		{"another scope", "/files/f1", "api = opw/get/file.f1.content:shared", 401},
		{"all files", "/files/f1", "api = opw/get/file.*.content", 200},
		{"escaped", "/files/f%31", "api = opw/get/file.f1.content", 200},
		{"the service's own", "/files/f1", "service = opw-p-krakow", 200},
		// A value never matches the entry of another resource.
		{"dots without a caveat", "/files/a.content:private", "", 200},
		{"dots, all files", "/files/a.b", "api = opw/get/file.*.content", 200},
		{"dots are not the end of the id", "/files/f1.content", "api = opw/get/file.f1.content", 401},
		{"dots do not reach another resource", "/files/f1.instance:shared", "api = opw/get/file.f1.instance:shared", 401},
		{"the wildcard is no file", "/files/*", "api = opw/get/file.f1.content", 401},
		{"the wildcard is under all files", "/files/*", "api = opw/get/file.*.content", 200},
		{"null is no file without an id", "/files/null", "api = opw/get/file.null.content", 401},
		{"self is an id", "/files/self", "api = opw/get/file.self.content", 200},
		{"slashes", "/files/a%2Fb", "api = opw/get/file.*.content", 200},
		{"colon in an id", "/files/a:b", "api = opw/get/file.a:b.content", 200},
		{"second word of an aspect", "/spaces/s/users/u1", "api = opw/get/op_space.s.user,u1", 200},
		{"another second word", "/spaces/s/users/u2", "api = opw/get/op_space.s.user,u1", 401},
		{"colon does not reach another scope", "/spaces/s/users/u1:public", "api = opw/get/op_space.s.user,u1:public", 401},
		{"comma in a second word", "/spaces/s/users/u1,u2", "api = opw/get/op_space.s.user,*", 200},
		{"comma is not named", "/spaces/s/users/u1,u2", "api = opw/get/op_space.s.user,u1", 401},
		{"wildcard as the second word", "/spaces/s/users/*", "api = opw/get/op_space.s.user,u1", 401},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var cs []caveat.Caveat
			if c.caveat != "" {
				cs = append(cs, caveat.MustParse(c.caveat))
			}
			res := macaroontest.Request(t, handler, "GET", c.path, nil, w.By(t, restcases.Alice, cs...))
			require.Equal(t, c.status, res.Status, "%s", res.Body)
			if c.status == http.StatusUnauthorized {
				require.ErrorIs(t, res.Err(), errors.IDTokenCaveatUnverified)
			}
		})
	}

	res := macaroontest.Request(t, handler, "GET", "/files/f1", nil, macaroontest.Anonymous())
	macaroontest.AssertStatus(t, res, http.StatusUnauthorized)
	require.NotContains(t, string(res.Body), "details", "a request without credentials gets no details")
	require.NotEmpty(t, res.Header.Get("WWW-Authenticate"))

	res = macaroontest.Request(t, handler, "GET", "/files/f1", nil, macaroontest.Basic("alice"))
	macaroontest.AssertStatus(t, res, http.StatusOK)

	res = macaroontest.Request(t, mux, "GET", "/files/f1", nil, macaroontest.Bearer(w.Laptop))
	macaroontest.AssertStatus(t, res, http.StatusUnauthorized) // without Authenticate in front no client is authenticated
}

type tenantKey struct{}

// inTenant adds the tenant of the path to the context of the request.
func inTenant(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), tenantKey{}, r.PathValue("tenant"))))
	})
}

// An application's caveats are decided by Authenticate with the context, or by
// the handler; they are never ignored.
func TestApplicationCaveatsBeforeAndInTheHandler(t *testing.T) {
	t.Parallel()
	v, err := caveat.NewVocabulary(caveat.Kind{Name: "tenant", Satisfied: func(ctx context.Context, value string, _ *caveat.Request) (bool, error) {
		return ctx.Value(tenantKey{}) == value, nil
	}})
	require.NoError(t, err)
	acme, err := v.New("tenant", "acme")
	require.NoError(t, err)
	h := macaroontest.New(t, macaroon.WithVocabulary(v))
	done := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "done") })
	deciding := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client, _ := rest.ClientFrom(r.Context())
		ctx := context.WithValue(r.Context(), tenantKey{}, r.PathValue("tenant"))
		if err := client.CheckKind(ctx, "tenant"); err != nil {
			rest.WriteError(w, err)
			return
		}
		_, _ = io.WriteString(w, "done")
	})
	for name, c := range map[string]struct {
		handler http.Handler
		good    int
	}{
		"in the context before Authenticate": {inTenant(rest.Authenticate(h.Authority)(done)), 200},
		"in the context after Authenticate":  {rest.Authenticate(h.Authority)(inTenant(done)), 401},
		"at use":                             {rest.Authenticate(h.Authority, rest.CheckLater("tenant"))(deciding), 200},
		"at use without CheckLater":          {rest.Authenticate(h.Authority)(deciding), 401},
		"another kind is left":               {rest.Authenticate(h.Authority, rest.CheckLater("tennant"))(deciding), 401},
	} {
		mux := http.NewServeMux()
		mux.Handle("GET /{tenant}/files", c.handler)
		res := macaroontest.Get(t, mux, "/acme/files", h.Token(acme))
		require.Equal(t, c.good, res.Status, "%s: %s", name, res.Body)
		res = macaroontest.Get(t, mux, "/other/files", h.Token(acme))
		macaroontest.AssertStatus(t, res, http.StatusUnauthorized)
		macaroontest.AssertError(t, res, errors.IDTokenCaveatUnverified)
		res = macaroontest.Get(t, mux, "/other/files", h.Token())
		macaroontest.AssertStatus(t, res, http.StatusOK)
	}

	// Onezone's own kinds cannot be left to a handler, and the API leaves no
	// kind.
	later := rest.CheckLater("tenant", caveat.TypeTime, caveat.TypeIP)
	mux := http.NewServeMux()
	mux.Handle("GET /{tenant}/files", rest.Authenticate(h.Authority, later)(done))
	macaroontest.AssertError(t, macaroontest.Get(t, mux, "/acme/files", h.Expired()), errors.IDTokenCaveatUnverified)
	api, err := rest.NewHandler(h.Authority, later)
	require.NoError(t, err)
	res := macaroontest.Get(t, api, rest.Prefix+"/user/tokens/named", h.Token(acme))
	macaroontest.AssertError(t, res, errors.IDTokenCaveatUnverified)

	require.ErrorIs(t, rest.Client{}.CheckKind(t.Context(), "tenant"), errors.IDUnauthorized)
	require.NoError(t, rest.Client{Subject: h.Alice}.CheckKind(t.Context(), "tenant"), "a password carries no caveats")
}

// Behind RequireClient, a route without Require refuses requests without
// credentials.
func TestForgottenRequireIsClosedByRequireClient(t *testing.T) {
	t.Parallel()
	w := restcases.NewFixture(t)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /forgotten", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "done") })
	handler := rest.Authenticate(w.Authority)(rest.RequireClient()(mux))
	for name, c := range map[string]struct {
		handler http.Handler
		as      macaroontest.Credentials
		status  int
	}{
		"nobody":               {handler, macaroontest.Anonymous(), 401},
		"a bad token":          {handler, macaroontest.BearerText("nonsense"), 401},
		"a user":               {handler, w.By(t, restcases.Alice), 200},
		"a user by password":   {handler, macaroontest.Basic("alice"), 200},
		"a Oneprovider":        {handler, w.By(t, restcases.Krakow), 200},
		"without Authenticate": {rest.RequireClient()(mux), w.By(t, restcases.Alice), 401},
	} {
		res := macaroontest.Request(t, c.handler, "GET", "/forgotten", nil, c.as)
		require.Equal(t, c.status, res.Status, name)
		if name == "nobody" {
			require.NotContains(t, string(res.Body), "details", "a request without credentials gets no details")
			require.NotEmpty(t, res.Header.Get("WWW-Authenticate"))
		}
	}
}

func TestRequirePanicsForBadArguments(t *testing.T) {
	t.Parallel()
	const gri = "file.{id}.content:private"
	require.NotPanics(t, func() { rest.Require(caveat.OzPanel, caveat.Delete, gri) })
	for name, build := range map[string]func(){
		"no GRI":               func() { rest.Require(caveat.OpWorker, caveat.Get, "nonsense") },
		"no such resource":     func() { rest.Require(caveat.OpWorker, caveat.Get, "no.resource") },
		"a brace that is open": func() { rest.Require(caveat.OpWorker, caveat.Get, "file.{id.content:private") },
		"no service":           func() { rest.Require(0, caveat.Get, gri) },
		"no such service":      func() { rest.Require(99, caveat.Get, gri) },
		"no operation":         func() { rest.Require(caveat.OpWorker, 0, gri) },
		"no such operation":    func() { rest.Require(caveat.OpWorker, 99, gri) },
	} {
		require.Panics(t, build, name)
	}
}

func TestClientsWithoutCredentialsAreAllowedNothing(t *testing.T) {
	t.Parallel()
	gri, err := caveat.ParseGRI("file.f.content:private")
	require.NoError(t, err)
	file := caveat.File{}
	for name, client := range map[string]rest.Client{
		"zero": {}, "nobody": {Subject: caveat.Nobody()}, "zero token": {Subject: restcases.Alice, Token: new(macaroon.Auth)},
	} {
		require.ErrorIs(t, client.Authorize(caveat.OpWorker, caveat.Get, gri), errors.IDUnauthorized, name)
		require.ErrorIs(t, client.CheckFile(file, caveat.Read), errors.IDUnauthorized, name)
	}
	require.NoError(t, rest.Client{Subject: restcases.Alice}.Authorize(caveat.OpWorker, caveat.Get, gri))
}

func TestClientChecksFiles(t *testing.T) {
	t.Parallel()
	w := restcases.NewFixture(t)
	file := caveat.File{Path: "/space/file"}
	readonly, err := w.Laptop.Confine(caveat.DataReadonly{})
	require.NoError(t, err)

	client, refusal := seen(t, w, headers("X-Auth-Token", readonly.String()), rest.AllowDataCaveats())
	require.Nil(t, refusal)
	require.NoError(t, client.CheckFile(file, caveat.Read))
	require.ErrorIs(t, client.CheckFile(file, caveat.Write), errors.IDTokenCaveatUnverified)
	require.NoError(t, rest.Client{Subject: restcases.Alice}.CheckFile(file, caveat.Write), "without a token there are no caveats")
}

// The token API serves no data, so it refuses tokens with data caveats. Its
// service is always Onezone's worker.
func TestHandlerIsOnezone(t *testing.T) {
	t.Parallel()
	w := restcases.NewFixture(t, rest.AllowDataCaveats(), rest.AsInterface(caveat.Oneclient),
		rest.AsService(caveat.Service{Type: caveat.OpWorker, ID: "p-krakow"}))
	for text, id := range map[string]errors.ID{
		"data.readonly": errors.IDTokenCaveatUnverified, "interface = oneclient": errors.IDTokenCaveatUnverified,
		"service = opw-p-krakow": errors.IDTokenCaveatUnverified, "interface = rest": "", "service = ozw-onezone": "",
	} {
		x := w.Do(t, restcases.Request{Method: "GET", Path: "/user/tokens/named", As: w.By(t, restcases.Alice, caveat.MustParse(text))})
		if id == "" {
			macaroontest.AssertStatus(t, x.Response, http.StatusOK)
		} else {
			macaroontest.AssertError(t, x.Response, id)
		}
	}
	// The token is refused before all other checks, not the operation.
	x := w.Do(t, restcases.Request{
		Method: "GET", Path: "/user/tokens/named", As: w.By(t, restcases.Alice, caveat.DataReadonly{}), Header: http.Header{"Accept": {"text/html"}},
	})
	macaroontest.AssertError(t, x.Response, errors.IDTokenCaveatUnverified)
}

func TestNewHandlerNeedsAnAuthority(t *testing.T) {
	t.Parallel()
	_, err := rest.NewHandler(nil)
	require.ErrorIs(t, err, errors.IDBadData)
}

// Ids with characters that a GRI cannot hold work, except with api caveats that
// would have to name them.
func TestIDsThatGRIsCannotHold(t *testing.T) {
	t.Parallel()
	w := restcases.NewFixture(t)
	dotted := caveat.User("john.doe,jr:x") // of an application that does not use CreateUser
	require.NoError(t, w.Store.CreateIdentity(t.Context(), store.Identity{Subject: dotted}))
	create := func(as macaroontest.Credentials) macaroontest.Response {
		return w.Do(t, restcases.Request{Method: "POST", Path: "/user/tokens/named", As: as, Body: `{"name":"version 1.2"}`}).Response
	}
	res := create(w.By(t, dotted, caveat.MustParse("api = ozw/create/token.*.user_named_token,john")))
	macaroontest.AssertError(t, res, errors.IDTokenCaveatUnverified)
	res = create(w.By(t, dotted, caveat.MustParse("api = ozw/create/token.*.user_named_token,*")))
	macaroontest.AssertStatus(t, res, http.StatusCreated)
	for _, path := range []string{"/user/tokens/named/name/version%201.2", "/users/john.doe%2Cjr:x/tokens/named/name/version%201%2E2"} {
		x := w.Do(t, restcases.Request{Method: "GET", Path: path, As: w.By(t, dotted)})
		macaroontest.AssertStatus(t, x.Response, http.StatusOK)
		x = w.Do(t, restcases.Request{Method: "GET", Path: path, As: w.By(t, dotted, caveat.MustParse("api = ozw/get/token.version 1.*:*"))})
		macaroontest.AssertError(t, x.Response, errors.IDTokenCaveatUnverified)
	}
}
