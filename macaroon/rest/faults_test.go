package rest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
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

// flaky is a store that fails on request: all calls, or all except those that
// authenticate with a named token or a password.
type flaky struct {
	store.Store
	keys, rest atomic.Pointer[error]
}

const leak = "password of the database"

var errDown = errors.New("connection refused, the " + leak + " is wrong")

func (f *flaky) fail(err error) { f.keys.Store(&err); f.rest.Store(&err) }
func (f *flaky) recover()       { f.keys.Store(nil); f.rest.Store(nil) }

func down(fault *atomic.Pointer[error]) error {
	if p := fault.Load(); p != nil {
		return fmt.Errorf("asking the database: %w", *p)
	}
	return nil
}

func or[T any](fault *atomic.Pointer[error], do func() (T, error)) (v T, err error) {
	if err := down(fault); err != nil {
		return v, err
	}
	return do()
}

func (f *flaky) NamedKey(ctx context.Context, id string) (store.Key, error) {
	return or(&f.keys, func() (store.Key, error) { return f.Store.NamedKey(ctx, id) })
}

func (f *flaky) TemporaryKey(ctx context.Context, s caveat.Subject) (store.Key, error) {
	return or(&f.rest, func() (store.Key, error) { return f.Store.TemporaryKey(ctx, s) })
}

func (f *flaky) GetIdentityByUsername(ctx context.Context, name string) (store.Identity, error) {
	return or(&f.keys, func() (store.Identity, error) { return f.Store.GetIdentityByUsername(ctx, name) })
}

func (f *flaky) GetIdentity(ctx context.Context, s caveat.Subject) (store.Identity, error) {
	return or(&f.rest, func() (store.Identity, error) { return f.Store.GetIdentity(ctx, s) })
}

func (f *flaky) EnsureTemporaryKey(ctx context.Context, s caveat.Subject, secret store.Secret) (store.Key, error) {
	return or(&f.rest, func() (store.Key, error) { return f.Store.EnsureTemporaryKey(ctx, s, secret) })
}

func (f *flaky) RotateTemporaryKey(ctx context.Context, s caveat.Subject, secret store.Secret) (int64, error) {
	return or(&f.rest, func() (int64, error) { return f.Store.RotateTemporaryKey(ctx, s, secret) })
}

func (f *flaky) GetToken(ctx context.Context, id string) (store.Token, error) {
	return or(&f.rest, func() (store.Token, error) { return f.Store.GetToken(ctx, id) })
}

func (f *flaky) ListTokens(ctx context.Context, q store.Query) (page []store.Token, next store.Cursor, err error) {
	if err := down(&f.rest); err != nil {
		return nil, store.Cursor{}, err
	}
	return f.Store.ListTokens(ctx, q)
}

func (f *flaky) ListTokenIDs(ctx context.Context, q store.Query) (page []string, next store.Cursor, err error) {
	if err := down(&f.rest); err != nil {
		return nil, store.Cursor{}, err
	}
	return f.Store.ListTokenIDs(ctx, q)
}

func (f *flaky) CountTokens(ctx context.Context, s caveat.Subject) (int64, error) {
	return or(&f.rest, func() (int64, error) { return f.Store.CountTokens(ctx, s) })
}

// over returns a handler over the fixture's store, with its faults.
func over(t *testing.T, w *restcases.Fixture, options ...rest.Option) (http.Handler, *flaky) {
	t.Helper()
	f := &flaky{Store: w.Store}
	zone := restcases.Onezone{}
	a, err := macaroon.NewAuthority(f, macaroon.WithClock(w.Clock.Now), macaroon.WithPasswordIterations(2048), macaroon.WithMemberships(zone),
		macaroon.WithSessions(zone), macaroon.WithInviters(zone))
	require.NoError(t, err)
	options = append([]rest.Option{rest.WithRights(zone)}, options...)
	h, err := rest.NewHandler(a, options...)
	require.NoError(t, err)
	return h, f
}

func TestStoreDownIsServiceUnavailable(t *testing.T) {
	t.Parallel()
	w := restcases.NewFixture(t)
	var log syncbuffer.Buffer
	handler, f := over(t, w, rest.WithLogger(log.Logger()))
	as := w.By(t, restcases.Alice)
	requests := []func() macaroontest.Response{
		func() macaroontest.Response { // while authenticating
			return macaroontest.Request(t, handler, "GET", rest.Prefix+"/user/tokens/named", nil, as)
		},
		func() macaroontest.Response { // while logging in
			return macaroontest.Request(t, handler, "GET", rest.Prefix+"/user/tokens/named", nil, macaroontest.Basic("alice"))
		},
		func() macaroontest.Response { // in the route
			return macaroontest.Request(t, handler, "POST", rest.Prefix+"/tokens/verify_access_token",
				map[string]any{"token": w.Laptop.String()}, macaroontest.Anonymous())
		},
		func() macaroontest.Response { // in the service token
			return macaroontest.Request(t, handler, "GET", rest.Prefix+"/user/tokens/named", nil, func(r *http.Request) {
				as(r)
				r.Header.Set("X-Onedata-Service-Token", w.Transfer.String())
			})
		},
	}
	for i, do := range requests {
		for what, fault := range map[error]errors.ID{errDown: errors.IDServiceUnavailable, context.DeadlineExceeded: errors.IDTimeout, context.Canceled: errors.IDServiceUnavailable} {
			f.fail(what)
			res := do()
			macaroontest.AssertStatus(t, res, http.StatusServiceUnavailable)
			macaroontest.AssertError(t, res, fault)
			require.NotContains(t, string(res.Body), leak)
			require.Empty(t, res.Header.Get("WWW-Authenticate"), "the credentials may be good")
		}
		f.recover()
		if i < 3 {
			macaroontest.AssertStatus(t, do(), http.StatusOK) // without a restart
		}
	}
	require.Contains(t, log.String(), leak)
	require.Contains(t, log.String(), "reference=")
	require.NotContains(t, log.String(), w.Laptop.String())
}

// needsStore reports whether a route always needs the store for more than
// authentication.
func needsStore(route string) bool {
	return (!strings.HasPrefix(route, "POST /tokens/") || strings.HasPrefix(route, "POST /tokens/named/")) && route != "GET /configuration"
}

// Every route that needs the store for more than authentication answers 503
// while the store fails, and works again afterwards.
func TestStoreDownInEveryRoute(t *testing.T) {
	t.Parallel()
	tried := map[string]bool{}
	for _, c := range restcases.All() {
		if c.Group != restcases.Success || tried[c.Route] || !needsStore(c.Route) {
			continue
		}
		tried[c.Route] = true
		t.Run(c.Route, func(t *testing.T) {
			t.Parallel()
			w := restcases.NewFixture(t)
			req, want := c.Make(w)
			handler, f := over(t, w)
			w.Handler = handler
			f.rest.Store(&errDown)
			res := w.Do(t, req).Response
			macaroontest.AssertStatus(t, res, http.StatusServiceUnavailable)
			macaroontest.AssertError(t, res, errors.IDServiceUnavailable)
			require.NotContains(t, string(res.Body), leak)
			f.recover()
			macaroontest.AssertStatus(t, w.Do(t, req).Response, want.Status)
		})
	}
	require.Len(t, tried, 50-9)
}

// A log-in that fails because of the store does not count as a failed log-in.
func TestStoreDownDoesNotThrottle(t *testing.T) {
	t.Parallel()
	w := restcases.NewFixture(t)
	handler, f := over(t, w)
	do := func() macaroontest.Response {
		return macaroontest.Request(t, handler, "GET", rest.Prefix+"/user/tokens/named", nil, macaroontest.Basic("alice"))
	}
	f.fail(errDown)
	for range macaroon.DefaultFailures + 2 {
		macaroontest.AssertStatus(t, do(), http.StatusServiceUnavailable)
	}
	f.recover()
	macaroontest.AssertStatus(t, do(), http.StatusOK)
}

// panicking is a data scope with a bug.
type panicking struct{ broken }

func (panicking) Spaces(context.Context, caveat.Subject) ([]rest.Space, error) { panic("a bug") }

func TestPanicIsInternalServerError(t *testing.T) {
	t.Parallel()
	var log syncbuffer.Buffer
	w := restcases.NewFixture(t, rest.WithDataScopes(panicking{}), rest.WithLogger(log.Logger()))
	body := `{"token":"` + w.Laptop.String() + `"}`
	x := w.Do(t, restcases.Request{Method: "POST", Path: "/tokens/infer_access_token_scope", Body: body})
	macaroontest.AssertStatus(t, x.Response, http.StatusInternalServerError)
	e, ok := x.Response.Err().(*errors.Error)
	require.True(t, ok)
	reference, _ := e.Details["reference"].(string)
	require.Regexp(t, regexp.MustCompile(`^[0-9a-f]{10}$`), reference)
	require.Contains(t, log.String(), "reference="+reference)
	require.Contains(t, log.String(), "a bug")
	require.Contains(t, log.String(), "faults_test.go", "the stack")
	require.NotContains(t, log.String(), w.Laptop.String())

	x = w.Do(t, restcases.Request{Method: "POST", Path: "/tokens/examine", Body: body})
	macaroontest.AssertStatus(t, x.Response, http.StatusOK)
}

type aborting struct{ broken }

func (aborting) Spaces(context.Context, caveat.Subject) ([]rest.Space, error) {
	panic(http.ErrAbortHandler)
}

// The server handles the panic that aborts a request.
func TestAbortIsPassedOn(t *testing.T) {
	t.Parallel()
	w := restcases.NewFixture(t, rest.WithDataScopes(aborting{}))
	require.PanicsWithValue(t, http.ErrAbortHandler, func() {
		w.Do(t, restcases.Request{Method: "POST", Path: "/tokens/infer_access_token_scope", Body: `{"token":"` + w.Laptop.String() + `"}`})
	})
}

func TestCanceledRequest(t *testing.T) {
	t.Parallel()
	var log syncbuffer.Buffer
	w := restcases.NewFixture(t, rest.WithLogger(log.Logger()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequest("GET", rest.Prefix+"/user/tokens/named", nil).WithContext(ctx)
	w.By(t, restcases.Alice)(r)
	rec := httptest.NewRecorder()
	w.Handler.ServeHTTP(rec, r)
	require.Equal(t, http.StatusServiceUnavailable, rec.Code)
	require.Empty(t, log.String(), "nothing went wrong")
}

func TestWriteError(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err    error
		status int
		id     errors.ID
	}{
		{errors.Forbidden("a reason"), 403, errors.IDForbidden},
		{fmt.Errorf("doing it: %w", errors.NotFound()), 404, errors.IDNotFound},
		{errors.Unauthorized(nil), 401, errors.IDUnauthorized},
		{errDown, 503, errors.IDServiceUnavailable},
		{context.DeadlineExceeded, 503, errors.IDTimeout},
		{nil, 503, errors.IDServiceUnavailable},
	} {
		rec := httptest.NewRecorder()
		rest.WriteError(rec, c.err)
		res := macaroontest.Response{Status: rec.Code, Header: rec.Header(), Body: rec.Body.Bytes()}
		macaroontest.AssertStatus(t, res, c.status)
		macaroontest.AssertError(t, res, c.id)
		require.NotContains(t, rec.Body.String(), leak)
		require.Equal(t, c.status == 401, rec.Header().Get("WWW-Authenticate") != "")
	}
}

func TestThrottledLogIns(t *testing.T) {
	if testing.Short() {
		t.Skip("many passwords are checked, and nothing runs at once")
	}
	t.Parallel()
	w := restcases.NewThrottledWorld(t, 2, 10*time.Second)
	logIn := func(user, password, address string) macaroontest.Response {
		x := w.Do(t, restcases.Request{Method: "GET", Path: "/user/tokens/named", As: func(r *http.Request) {
			r.SetBasicAuth(user, password)
			r.RemoteAddr = address + ":1"
		}})
		return x.Response
	}
	right := macaroontest.Password
	for range 5 {
		macaroontest.AssertStatus(t, logIn("alice", right, "192.0.2.1"), http.StatusOK)
	}
	for range 2 {
		macaroontest.AssertError(t, logIn("alice", "wrong", "192.0.2.1"), errors.IDBadBasicCredentials)
	}
	for _, password := range []string{"wrong", right} {
		res := logIn("alice", password, "192.0.2.2")
		macaroontest.AssertStatus(t, res, http.StatusTooManyRequests)
		macaroontest.AssertError(t, res, errors.IDTemporaryFailure)
		require.Equal(t, "10", res.Header.Get("Retry-After"))
		require.Empty(t, res.Header.Get("WWW-Authenticate"))
	}
	macaroontest.AssertStatus(t, logIn("bob", right, "192.0.2.1"), http.StatusOK)
	for i := range 18 { // of the 20 attempts of the address
		macaroontest.AssertError(t, logIn(fmt.Sprint("unknown", i), "wrong", "192.0.2.1"), errors.IDBadBasicCredentials)
	}
	res := logIn("bob", right, "192.0.2.1")
	macaroontest.AssertStatus(t, res, http.StatusTooManyRequests)
	require.Equal(t, "1", res.Header.Get("Retry-After"))
	macaroontest.AssertStatus(t, logIn("bob", right, "192.0.2.2"), http.StatusOK)
	// Tokens do not count as log-ins.
	x := w.Do(t, restcases.Request{Method: "GET", Path: "/user/tokens/named", As: w.By(t, restcases.Alice)})
	macaroontest.AssertStatus(t, x.Response, http.StatusOK)

	w.Clock.Advance(9*time.Second + time.Millisecond)
	require.Equal(t, "1", logIn("alice", right, "192.0.2.2").Header.Get("Retry-After"))
	w.Clock.Advance(-time.Hour)
	macaroontest.AssertStatus(t, logIn("alice", right, "192.0.2.2"), http.StatusTooManyRequests)
	w.Clock.Advance(time.Second)
	macaroontest.AssertStatus(t, logIn("alice", right, "192.0.2.2"), http.StatusOK)
	macaroontest.AssertError(t, logIn("ada", "wrong", "192.0.2.3"), errors.IDBadBasicCredentials)
	macaroontest.AssertError(t, logIn("ada", "wrong", "192.0.2.3"), errors.IDBadBasicCredentials)
	macaroontest.AssertStatus(t, logIn("ada", "wrong", "192.0.2.3"), http.StatusTooManyRequests)
	macaroontest.AssertError(t, logIn("unknown", "wrong", "192.0.2.4"), errors.IDBadBasicCredentials)
}
