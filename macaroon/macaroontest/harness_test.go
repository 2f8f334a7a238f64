package macaroontest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// verify returns the result of verifying a token.
func verify(t *testing.T, h *macaroontest.Harness, text string) error {
	t.Helper()
	token, err := h.Authority.Parse(text)
	if err == nil {
		_, err = h.Authority.VerifyAccess(t.Context(), token.String(), caveat.Request{Interface: caveat.REST})
	}
	return err
}

func TestInvalidTokensOfAHarness(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	for name, c := range map[string]struct {
		text string
		want errors.ID // "": good
	}{
		"token":                        {h.Token().String(), ""},
		"token with a caveat":          {h.Token(caveat.REST).String(), ""},
		"token with a caveat not held": {h.Token(caveat.Oneclient).String(), errors.IDTokenCaveatUnverified},
		"token of a service that the subject cannot use": {h.Token(caveat.MustParse("service = opw-x")).String(), errors.IDTokenCaveatUnverified},
		"temporary token":     {h.Temporary().String(), ""},
		"token of Bob":        {h.TokenOf(h.Bob, macaroon.AccessToken()).String(), ""},
		"token of a provider": {h.TokenOf(h.Provider, macaroon.AccessToken()).String(), ""},
		"identity token":      {h.TokenOf(h.Alice, macaroon.IdentityToken()).String(), errors.IDNotAnAccessToken},
		"expired token":       {h.Expired().String(), errors.IDTokenCaveatUnverified},
		"revoked token":       {h.Revoked().String(), errors.IDTokenRevoked},
		"forged token":        {h.Forged().String(), errors.IDTokenInvalid},
		"truncated token":     {h.Truncated(), errors.IDBadToken},
		"unknown caveat":      {h.WithUnknownCaveat().String(), errors.IDTokenCaveatUnknown},
	} {
		err := verify(t, h, c.text)
		if c.want == "" {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorIs(t, err, c.want, name)
	}
	// Each invalid token has only one defect.
	h.Clock.Advance(-time.Second)
	expired := h.Expired()
	h.Clock.Advance(-2 * time.Second)
	require.NoError(t, verify(t, h, expired.String()))
	forged := h.Forged()
	_, err := h.Authority.Get(t.Context(), forged.ID())
	require.NoError(t, err, "a forged token says everything right")
	require.NoError(t, h.Authority.Restore(t.Context(), h.Revoked().ID()))
}

type projectKey struct{}

// projects returns the vocabulary with "project = NAME", satisfied for the
// project in the context.
func projects(t *testing.T) *caveat.Vocabulary {
	t.Helper()
	v, err := caveat.NewVocabulary(caveat.Kind{
		Name: "project",
		Satisfied: func(ctx context.Context, value string, _ *caveat.Request) (bool, error) {
			return ctx.Value(projectKey{}) == value, nil
		},
	})
	require.NoError(t, err)
	return v
}

// The harness issues tokens with caveats of the application under test.
func TestHarnessMintsApplicationCaveats(t *testing.T) {
	t.Parallel()
	v := projects(t)
	h := macaroontest.New(t, macaroon.WithVocabulary(v))
	only42, err := v.New("project", "42")
	require.NoError(t, err)
	for _, token := range []macaroon.Token{
		h.Token(only42), h.Temporary(only42), h.TokenOf(h.Bob, macaroon.AccessToken(), caveat.REST, only42),
	} {
		require.Contains(t, token.Caveats(), "project = 42")
		req := caveat.Request{Interface: caveat.REST}
		_, err := h.Authority.VerifyAccess(context.WithValue(t.Context(), projectKey{}, "42"), token.String(), req)
		require.NoError(t, err)
		_, err = h.Authority.VerifyAccess(t.Context(), token.String(), req)
		macaroontest.AssertErrorID(t, err, errors.IDTokenCaveatUnverified)
	}
	stopped := watch(t, func(tb testing.TB) { macaroontest.New(tb).Token(only42) }).stopped
	require.True(t, stopped, "the authority of another application cannot decide it")
}

// Helpers for tests of services: named tokens, users of every service, and
// client addresses.
func TestHarnessForServices(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t, macaroon.WithMemberships(macaroontest.Everybody{}))
	laptop := h.TokenNamed("laptop", caveat.REST)
	record, err := h.Authority.GetByName(t.Context(), h.Alice, "laptop")
	require.NoError(t, err)
	require.Equal(t, laptop.ID(), record.ID())
	require.Equal(t, []string{"interface = rest"}, laptop.Caveats())
	require.True(t, watch(t, func(tb testing.TB) {
		h := macaroontest.New(tb)
		h.TokenNamed("laptop")
		h.TokenNamed("laptop")
	}).stopped, "a name is given once")

	var seen netip.Addr
	handler := rest.Authenticate(h.Authority, rest.AsService(caveat.Service{Type: caveat.OpWorker, ID: "p1"}))(
		http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			client, _ := rest.ClientFrom(r.Context())
			seen = client.PeerIP
		}))
	atHome := macaroontest.Bearer(h.Token(caveat.MustParse("ip = 10.0.0.0/8")))
	for address, status := range map[string]int{"10.1.2.3": 200, "192.0.2.1": 401, "2001:db8::1": 401} {
		client := netip.MustParseAddr(address)
		res := macaroontest.Request(t, handler, "GET", "/", nil, macaroontest.From(client, atHome))
		macaroontest.AssertStatus(t, res, status)
		macaroontest.Request(t, handler, "GET", "/", nil, macaroontest.From(client, nil))
		require.Equal(t, client, seen)
	}
	macaroontest.AssertStatus(t, macaroontest.Request(t, handler, "GET", "/", nil, atHome), 401) // from 127.0.0.1
	panel := rest.Authenticate(h.Authority, rest.AsService(caveat.Service{Type: caveat.OpPanel, ID: "p1"}))(files)
	macaroontest.AssertStatus(t, macaroontest.Get(t, panel, "/", h.Token()), 200)
}

func TestUsers(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	for name, subject := range map[string]caveat.Subject{macaroontest.AliceName: h.Alice, macaroontest.BobName: h.Bob} {
		got, err := h.Authority.LogIn(t.Context(), name, macaroontest.Password)
		require.NoError(t, err)
		require.Equal(t, subject, got)
		_, err = h.Authority.LogIn(t.Context(), name, "wrong")
		require.ErrorIs(t, err, errors.IDBadBasicCredentials)
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	require.Equal(t, macaroontest.Start, h.Authority.Now())
	h.Clock.Advance(time.Minute)
	require.Equal(t, macaroontest.Start.Add(time.Minute), h.Authority.Now())
	token := h.Temporary()
	require.NoError(t, verify(t, h, token.String()))
	h.Clock.Advance(time.Hour)
	require.ErrorIs(t, verify(t, h, token.String()), errors.IDTokenCaveatUnverified, "it was good for an hour")
	h.Clock.Set(macaroontest.Start)
	require.NoError(t, verify(t, h, token.String()))
}

// A test gets the same tokens in every run, and other tests get different ones.
func TestRandomnessRepeats(t *testing.T) {
	t.Parallel()
	draw := func(t *testing.T) string {
		h := macaroontest.New(t)
		return h.Token().String() + h.Temporary().String() + h.Forged().String()
	}
	first := draw(t)
	require.Equal(t, first, draw(t))
	t.Run("of another name", func(t *testing.T) { require.NotEqual(t, first, draw(t)) })
}

// Harnesses of concurrent tests are independent.
func TestHarnessesAreIndependent(t *testing.T) {
	t.Parallel()
	for i := range 8 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			h := macaroontest.New(t)
			h.Clock.Advance(time.Duration(i) * time.Hour)
			token := h.Token(caveat.Until(h.Clock.Now().Add(time.Second)))
			require.NoError(t, verify(t, h, token.String()))
			require.NoError(t, h.Authority.SetBlocked(t.Context(), h.Bob, i%2 == 0))
			_, err := h.Authority.LogIn(t.Context(), "bob", macaroontest.Password)
			require.Equal(t, i%2 == 0, errors.Is(err, errors.IDUserBlocked))
			other := macaroontest.New(t)
			require.ErrorIs(t, verify(t, other, h.Token().String()), errors.IDTokenInvalid)
		})
	}
}

func TestHarnessIsForAllGoroutinesOfATest(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	ids := sync.Map{}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for _, token := range []macaroon.Token{h.Token(), h.Temporary(), h.Expired(), h.Revoked(), h.WithUnknownCaveat()} {
				if _, again := ids.LoadOrStore(token.ID(), true); again {
					t.Error("two tokens have one id")
				}
			}
			h.Clock.Advance(time.Millisecond)
		})
	}
	wg.Wait()
	require.Equal(t, macaroontest.Start.Add(16*time.Millisecond), h.Clock.Now())
}

// A harness is closed at the end of its test.
func TestHarnessIsCleanedUp(t *testing.T) {
	var h *macaroontest.Harness
	var url string
	t.Run("test", func(t *testing.T) {
		s := macaroontest.NewServer(t)
		h, url = s.Harness, s.URL
		macaroontest.AssertStatus(t, s.Do("GET", "/user/tokens/named", nil, macaroontest.Basic("alice")), http.StatusOK)
	})
	_, err := h.Authority.Get(t.Context(), "x")
	require.Error(t, err)
	require.NotErrorIs(t, err, errors.IDNotFound, "the store is closed")
	res, err := http.Get(url)
	if err == nil {
		_ = res.Body.Close()
	}
	require.Error(t, err, "the server is down")
}

// observed is a testing.TB that records failures.
type observed struct {
	testing.TB
	failures []string
	stopped  bool
}

type stop struct{}

func (o *observed) Helper() {}
func (o *observed) Errorf(format string, args ...any) {
	o.failures = append(o.failures, fmt.Sprintf(format, args...))
}
func (o *observed) Fatalf(format string, args ...any) {
	o.Errorf(format, args...)
	o.stopped = true
	panic(stop{})
}

// watch runs a test and returns its failure messages.
func watch(t *testing.T, test func(tb testing.TB)) *observed {
	t.Helper()
	o := &observed{TB: t}
	func() {
		defer func() {
			if reason := recover(); reason != nil && reason != (stop{}) {
				panic(reason)
			}
		}()
		test(o)
	}()
	return o
}

// An error in a harness fails its test immediately.
func TestHarnessFailsItsTest(t *testing.T) {
	t.Parallel()
	o := watch(t, func(tb testing.TB) { macaroontest.New(tb, macaroon.WithDomain("")) })
	require.True(t, o.stopped)
	require.Contains(t, o.failures[0], "macaroontest: ")

	o = watch(t, func(tb testing.TB) {
		h := macaroontest.New(tb)
		_ = h.Store.Close()
		h.Token()
	})
	require.True(t, o.stopped)
	o = watch(t, func(tb testing.TB) { macaroontest.New(tb).TokenOf(caveat.User("nobody-here"), macaroon.AccessToken()) })
	require.True(t, o.stopped)
}

func TestAssertions(t *testing.T) {
	t.Parallel()
	refused := macaroontest.Response{Status: 401, Body: []byte(`{"error":{"id":"unauthorized","details":{"authError":{"id":"tokenRevoked","description":"It was."}},"description":"No."}}`)}
	done := macaroontest.Response{Status: 200, Body: []byte(`{"token":"x"}`)}
	for name, c := range map[string]struct {
		assert func(tb testing.TB)
		fails  bool
	}{
		"status":             {func(tb testing.TB) { macaroontest.AssertStatus(tb, refused, 401) }, false},
		"another status":     {func(tb testing.TB) { macaroontest.AssertStatus(tb, refused, 200) }, true},
		"error":              {func(tb testing.TB) { macaroontest.AssertError(tb, refused, errors.IDUnauthorized) }, false},
		"error inside":       {func(tb testing.TB) { macaroontest.AssertError(tb, refused, errors.IDTokenRevoked) }, false},
		"another error":      {func(tb testing.TB) { macaroontest.AssertError(tb, refused, errors.IDTokenInvalid) }, true},
		"error of a success": {func(tb testing.TB) { macaroontest.AssertError(tb, done, errors.IDUnauthorized) }, true},
		"error of no answer": {func(tb testing.TB) { macaroontest.AssertError(tb, macaroontest.Response{}, errors.IDUnauthorized) }, true},
		"error id":           {func(tb testing.TB) { macaroontest.AssertErrorID(tb, errors.TokenRevoked(), errors.IDTokenRevoked) }, false},
		"error id in a wrapper": {func(tb testing.TB) {
			macaroontest.AssertErrorID(tb, fmt.Errorf("x: %w", errors.TokenRevoked()), errors.IDTokenRevoked)
		}, false},
		"another error id":    {func(tb testing.TB) { macaroontest.AssertErrorID(tb, errors.TokenRevoked(), errors.IDTokenInvalid) }, true},
		"error id of another": {func(tb testing.TB) { macaroontest.AssertErrorID(tb, context.Canceled, errors.IDTokenInvalid) }, true},
		"error id of none":    {func(tb testing.TB) { macaroontest.AssertErrorID(tb, nil, errors.IDTokenInvalid) }, true},
		"JSON":                {func(tb testing.TB) { done.JSON(tb, &struct{ Token string }{}) }, false},
		"no JSON":             {func(tb testing.TB) { macaroontest.Response{Body: []byte("x")}.JSON(tb, &struct{}{}) }, true},
	} {
		o := watch(t, c.assert)
		require.Equal(t, c.fails, len(o.failures) > 0, "%s: %q", name, o.failures)
	}
	require.NoError(t, done.Err())
	require.ErrorIs(t, refused.Err(), errors.IDTokenRevoked)
}

// A failed assertion prints the whole error.
func TestAssertionsPrintTheWholeError(t *testing.T) {
	t.Parallel()
	ip := caveat.MustParse("ip = 10.0.0.0/8")
	refusal := errors.Unauthorized(errors.BadConsumerToken(caveat.Unverified(ip)))
	body, err := json.Marshal(errors.Envelope{Error: refusal})
	require.NoError(t, err)
	answer := macaroontest.Response{Status: 401, Body: body}
	operational := fmt.Errorf("call: %w", errors.Unauthorized(fmt.Errorf("find the key: %w", context.DeadlineExceeded)))
	for name, c := range map[string]struct {
		assert func(tb testing.TB)
		shows  []string
	}{
		"status": {func(tb testing.TB) { macaroontest.AssertStatus(tb, answer, 200) }, []string{"401", "want the status 200"}},
		"error":  {func(tb testing.TB) { macaroontest.AssertError(tb, answer, errors.IDTokenRevoked) }, []string{"401", "want the error tokenRevoked"}},
		"error id": {func(tb testing.TB) { macaroontest.AssertErrorID(tb, refusal, errors.IDTokenRevoked) },
			[]string{"want the error tokenRevoked", "must be in one of the networks"}},
	} {
		o := watch(t, c.assert)
		require.Len(t, o.failures, 1, name)
		for _, part := range append(c.shows, "unauthorized: ", "badConsumerToken", "tokenCaveatUnverified", `"whitelist":["10.0.0.0/8"]`) {
			require.Contains(t, o.failures[0], part, name)
		}
	}
	o := watch(t, func(tb testing.TB) { macaroontest.AssertErrorID(tb, operational, errors.IDTokenRevoked) })
	require.Len(t, o.failures, 1)
	for _, part := range []string{"call: unauthorized", `"id":"internalServerError"`, "caused by: find the key: context deadline exceeded"} {
		require.Contains(t, o.failures[0], part)
	}
	require.Equal(t, 1, strings.Count(o.failures[0], "context deadline exceeded"))
}

// The outermost description of a rejected request contains the reason.
func TestRefusedRequestSaysWhy(t *testing.T) {
	t.Parallel()
	s := macaroontest.NewServer(t)
	res := s.Do("GET", "/user/tokens/named", nil, macaroontest.Bearer(s.Expired()))
	macaroontest.AssertStatus(t, res, http.StatusUnauthorized)
	var body struct{ Error struct{ Description string } }
	res.JSON(t, &body)
	require.Equal(t, "The given authentication is not valid for this operation: The token is not valid here "+
		"because of a caveat: the token is good only before 2024-10-01T11:59:59Z.", body.Error.Description)
	require.True(t, errors.Expired(res.Err()))
	res = s.Do("GET", "/user/tokens/named", nil, macaroontest.Bearer(s.Revoked()))
	require.False(t, errors.Expired(res.Err()))
	require.ErrorContains(t, res.Err(), "The token was revoked.")
}

// The helpers send the requests of a real client.
func TestRequests(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	var seen *http.Request
	var body strings.Builder
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r
		body.Reset()
		_, _ = io.Copy(&body, r.Body)
		w.Header().Set("X-Answer", "yes")
		w.WriteHeader(http.StatusTeapot)
		_, _ = fmt.Fprint(w, "short and stout")
	})
	token := h.Token()
	res := macaroontest.Get(t, handler, "/x?y=z", token)
	require.Equal(t, "GET /x?y=z", seen.Method+" "+seen.URL.String())
	require.Equal(t, token.String(), seen.Header.Get("X-Auth-Token"))
	require.True(t, strings.HasPrefix(seen.RemoteAddr, "127.0.0.1:"))
	require.Equal(t, "418 short and stout yes", fmt.Sprintf("%d %s %s", res.Status, res.Body, res.Header.Get("X-Answer")))

	for want, sent := range map[string]any{"": nil, "text": "text", "bytes": []byte("bytes"), `{"a":1}`: map[string]int{"a": 1}} {
		macaroontest.Request(t, handler, "POST", "/", sent, macaroontest.Basic("bob"))
		require.Equal(t, want, body.String())
		require.Equal(t, "application/json", seen.Header.Get("Content-Type"))
		user, password, _ := seen.BasicAuth()
		require.Equal(t, "bob "+macaroontest.Password, user+" "+password)
	}
	macaroontest.Request(t, handler, "POST", "/", nil, macaroontest.Anonymous())
	require.Empty(t, seen.Header.Get("Authorization")+seen.Header.Get("X-Auth-Token"))
	require.True(t, watch(t, func(tb testing.TB) {
		macaroontest.Request(tb, handler, "POST", "/", make(chan int), macaroontest.Anonymous())
	}).stopped, "what is no JSON cannot be sent")
}

// The server serves the whole API, with the options of the test.
func TestServer(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t, macaroon.WithDomain("onezone.example.com"))
	s := macaroontest.Serve(h)
	res := s.Do("POST", "/user/tokens/named", map[string]any{"name": "laptop"}, macaroontest.Basic("bob"))
	macaroontest.AssertStatus(t, res, http.StatusCreated)
	require.Contains(t, res.Header.Get("Location"), "https://onezone.example.com/api/v3/onezone/tokens/named/")
	var created struct{ Token string }
	res.JSON(t, &created)
	require.NoError(t, verify(t, h, created.Token), "the server and the harness are one")
	require.NoError(t, h.Authority.SetBlocked(t.Context(), h.Alice, true)) // whose password nobody hashes
	for range 12 {                                                         // more than are let through where log-ins are slowed down
		macaroontest.AssertError(t, s.Do("GET", "/user/tokens/named", nil, macaroontest.Basic("alice")), errors.IDUserBlocked)
	}
}
