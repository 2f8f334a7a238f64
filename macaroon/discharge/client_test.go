package discharge_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/discharge"
	"github.com/onezone-go/onezone/macaroon/general"
)

// server is a discharger on this machine.
type server struct {
	url      string
	requests atomic.Int64
}

func serve(tb testing.TB, h http.Handler) *server {
	tb.Helper()
	s := &server{}
	started := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		h.ServeHTTP(w, r)
	}))
	tb.Cleanup(started.Close)
	s.url = started.URL
	return s
}

// serveCheck starts a discharger that asks the Check.
func serveCheck(tb testing.TB, check discharge.Check, options ...discharge.HandlerOption) *server {
	tb.Helper()
	return serve(tb, handlerOf(tb, check, options...))
}

func clientOf(tb testing.TB, locations []string, options ...discharge.ClientOption) *discharge.Client {
	tb.Helper()
	c, err := discharge.NewClient(locations, options...)
	require.NoError(tb, err)
	return c
}

// needing returns a macaroon with caveats that the test dischargers at the
// locations open.
func needing(tb testing.TB, locations ...string) general.Macaroon {
	tb.Helper()
	m := macaroonOf(tb, "album 7", rootKey)
	for _, l := range locations {
		c, err := dischargerKey.Public().Caveat("somewhere", "the user is alice")
		require.NoError(tb, err)
		c.Location = l
		m, err = discharge.Add(m, c)
		require.NoError(tb, err)
	}
	return m
}

func TestAClientFetchesWhatIsNeeded(t *testing.T) {
	further := serveCheck(t, func(context.Context, discharge.Question) (discharge.Answer, error) {
		return discharge.Grant("step = 3"), nil
	})
	first := serve(t, http.StripPrefix("/a/b", handlerOf(t, func(context.Context, discharge.Question) (discharge.Answer, error) {
		c, err := dischargerKey.Public().Caveat(further.url+"/", "more")
		return discharge.Grant("step = 2").Needing(c), err
	})))
	m := needing(t, first.url+"/a/b", further.url)
	c := clientOf(t, []string{first.url + "/a/b/", further.url})
	discharges, err := c.Discharge(t.Context(), m)
	require.NoError(t, err)
	assert.Len(t, discharges, 3)
	texts, err := verify(t, m, discharges...)
	require.NoError(t, err)
	assert.Equal(t, []string{"step = 2", "step = 3", "step = 3"}, texts)

	none, err := c.Discharge(t.Context(), macaroonOf(t, "album 7", rootKey))
	require.NoError(t, err)
	assert.Empty(t, none)
	_, err = c.Discharge(t.Context(), general.Macaroon{})
	require.ErrorIs(t, err, errors.IDBadToken)
}

// Dischargers of macaroon-bakery keep the encrypted conditions of further caveats
// beside the discharge, and the caveats have short identifiers.
func TestConditionsThatAreBesideADischarge(t *testing.T) {
	further := serveCheck(t, func(_ context.Context, q discharge.Question) (discharge.Answer, error) {
		assert.Equal(t, "more", q.Condition)
		return discharge.Grant("step = 2"), nil
	})
	c, err := dischargerKey.Public().Caveat(further.url, "more")
	require.NoError(t, err)
	payload := c.Identifier
	c.Identifier = "\x03\x00"

	first := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, err := discharge.Add(macaroonOf(t, r.FormValue("id"), keyOf("a"), "step = 1"), c)
		assert.NoError(t, err)
		text, err := d.Encode(general.V2JSON)
		assert.NoError(t, err)
		answering(http.StatusOK, "application/json",
			fmt.Sprintf(`{"Macaroon":{"m":%s,"v":3,"cdata":{%q:%q},"ns":"std:"}}`, text, in64(c.Identifier), in64(payload))).ServeHTTP(w, r)
	}))
	m, err := discharge.Add(macaroonOf(t, "album 7", rootKey), discharge.Caveat{Location: first.url, Identifier: "a", Key: keyOf("a")})
	require.NoError(t, err)
	discharges, err := clientOf(t, []string{first.url, further.url}).Discharge(t.Context(), m)
	require.NoError(t, err)
	texts, err := verify(t, m, discharges...)
	require.NoError(t, err)
	assert.Equal(t, []string{"step = 1", "step = 2"}, texts)
}

func TestAClientWaitsForADischarge(t *testing.T) {
	var calls atomic.Int64
	s := serveCheck(t, func(context.Context, discharge.Question) (discharge.Answer, error) {
		if calls.Add(1) < 4 {
			return discharge.ComeBack(), nil
		}
		return discharge.Grant(), nil
	}, discharge.WithPause(time.Millisecond))
	m := needing(t, s.url)
	discharges, err := clientOf(t, []string{s.url}).Discharge(t.Context(), m)
	require.NoError(t, err)
	_, err = verify(t, m, discharges...)
	require.NoError(t, err)
	assert.EqualValues(t, 3, s.requests.Load(), "ask, wait, ask")
}

func TestAClientComesBackAfterNotYet(t *testing.T) {
	var calls atomic.Int64
	s := serveCheck(t, func(context.Context, discharge.Question) (discharge.Answer, error) {
		if calls.Add(1) < 3 {
			return discharge.ComeBack(), nil
		}
		return discharge.Grant(), nil
	}, discharge.WithMaxWaiting(0))
	_, err := clientOf(t, []string{s.url}).Discharge(t.Context(), needing(t, s.url))
	require.NoError(t, err)
	assert.EqualValues(t, 4, s.requests.Load(), "ask, not yet, ready, ask")
}

func TestAClientShowsAPageToTheUser(t *testing.T) {
	var visited sync.Map
	s := serveCheck(t, func(_ context.Context, q discharge.Question) (discharge.Answer, error) {
		if _, ok := visited.Load("https://login.example.org/?visit=" + q.Visit); !ok {
			return discharge.Ask("https://login.example.org/?visit=" + q.Visit), nil
		}
		return discharge.Grant(), nil
	}, discharge.WithPause(time.Millisecond))
	m := needing(t, s.url)
	discharges, err := clientOf(t, []string{s.url}, discharge.WithInteraction(func(_ context.Context, page string) error {
		visited.Store(page, true)
		return nil
	})).Discharge(t.Context(), m)
	require.NoError(t, err)
	_, err = verify(t, m, discharges...)
	require.NoError(t, err)

	_, err = clientOf(t, []string{s.url}).Discharge(t.Context(), needing(t, s.url))
	require.ErrorContains(t, err, "WithInteraction")
	requireOperational(t, err)

	_, err = clientOf(t, []string{s.url}, discharge.WithInteraction(func(context.Context, string) error {
		return errors.Forbidden("there is no browser")
	})).Discharge(t.Context(), needing(t, s.url))
	require.ErrorContains(t, err, "there is no browser")
	requireOperational(t, err)
}

func requireOperational(tb testing.TB, err error) {
	tb.Helper()
	require.Error(tb, err)
	_, isCatalogued := errors.AsType[*errors.Error](err)
	require.False(tb, isCatalogued, "an error of the catalogue: %v", err)
}

func TestDischargesAreKeptUntilShortlyBeforeTheirEnd(t *testing.T) {
	for name, test := range map[string]struct {
		caveats []string
		kept    time.Duration // 0: not at all
	}{
		"30 seconds of an hour":       {[]string{"time < 1600003600"}, time.Hour - 30*time.Second},
		"a tenth of a minute":         {[]string{"time < 1600000060"}, 54 * time.Second},
		"the first end counts":        {[]string{"time < 1600000600", "time < 1600000060"}, 54 * time.Second},
		"of the bakery":               {[]string{"time-before 2020-09-13T12:27:40Z"}, 54 * time.Second},
		"an hour if it has no end":    {[]string{"step = 1"}, time.Hour - 30*time.Second},
		"an hour if its end is far":   {[]string{"time < 1700000000"}, time.Hour - 30*time.Second},
		"unknown caveats have no end": {[]string{"time < +5", "time-before now"}, time.Hour - 30*time.Second},
		"it has ended":                {[]string{"time < 1600000000"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := serveCheck(t, func(context.Context, discharge.Question) (discharge.Answer, error) {
				return discharge.Grant(test.caveats...), nil
			})
			now := time.Unix(1600000000, 0)
			c := clientOf(t, []string{s.url}, discharge.WithClock(func() time.Time { return now }))
			m := needing(t, s.url)
			fetch := func() int64 {
				_, err := c.Discharge(t.Context(), m)
				require.NoError(t, err)
				return s.requests.Load()
			}
			fetch()
			if test.kept == 0 {
				assert.EqualValues(t, 2, fetch())
				return
			}
			now = now.Add(test.kept - 1)
			assert.EqualValues(t, 1, fetch())
			now = now.Add(1)
			assert.EqualValues(t, 2, fetch())

			// What is kept is for this caveat.
			_, err := c.Discharge(t.Context(), needing(t, s.url))
			require.NoError(t, err)
			assert.EqualValues(t, 3, s.requests.Load())
			c.Forget()
			assert.EqualValues(t, 4, fetch())
		})
	}
}

// A discharge says who the user is, so one that was asked for before the user
// changed is not for the next.
func TestForgetAlsoForgetsWhatIsBeingFetched(t *testing.T) {
	entered, release := make(chan struct{}, 2), make(chan struct{})
	s := serveCheck(t, func(context.Context, discharge.Question) (discharge.Answer, error) {
		entered <- struct{}{}
		<-release
		return discharge.Grant(), nil
	})
	c, m, done := clientOf(t, []string{s.url}), needing(t, s.url), make(chan error, 2)
	fetch := func() {
		_, err := c.Discharge(t.Context(), m)
		done <- err
	}
	go fetch()
	<-entered
	c.Forget()
	go fetch()
	select {
	case <-entered: // a request of its own
	case <-time.After(10 * time.Second):
		t.Error("the call after Forget shares the request before it")
	}
	close(release)
	require.NoError(t, <-done)
	require.NoError(t, <-done)
	assert.LessOrEqual(t, c.Kept(), 1)

	entered, release = make(chan struct{}, 1), make(chan struct{})
	go func() {
		c.Forget()
		fetch()
	}()
	<-entered
	c.Forget()
	close(release)
	require.NoError(t, <-done)
	assert.Zero(t, c.Kept())
}

func TestAKeptDischargeOutlivesAFault(t *testing.T) {
	var fault error
	s := serveCheck(t, func(context.Context, discharge.Question) (discharge.Answer, error) {
		return discharge.Grant("time < 1600000060"), fault
	}, discharge.WithLogger(slog.New(slog.DiscardHandler)))
	now := time.Unix(1600000000, 0)
	c := clientOf(t, []string{s.url}, discharge.WithClock(func() time.Time { return now }))
	m := needing(t, s.url)
	_, err := c.Discharge(t.Context(), m)
	require.NoError(t, err)

	now = now.Add(55 * time.Second)
	fault = errors.New("the database is down")
	_, err = c.Discharge(t.Context(), m)
	require.NoError(t, err, "it is good for five more seconds")
	assert.EqualValues(t, 2, s.requests.Load())

	fault = errors.Forbidden("alice was dismissed")
	_, err = c.Discharge(t.Context(), m)
	require.ErrorIs(t, err, errors.IDForbidden)

	fault = errors.New("the database is down")
	now = now.Add(5 * time.Second)
	_, err = c.Discharge(t.Context(), m)
	requireOperational(t, err)
}

func TestConcurrentCallersShareAFetch(t *testing.T) {
	const callers = 8
	entered, release := make(chan struct{}, callers), make(chan struct{})
	s := serveCheck(t, func(context.Context, discharge.Question) (discharge.Answer, error) {
		entered <- struct{}{}
		<-release
		return discharge.Grant(), nil
	})
	c := clientOf(t, []string{s.url})
	m := needing(t, s.url)

	impatient, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := c.Discharge(impatient, m)
		left <- err
	}()
	<-entered
	results := make(chan error, callers)
	for range callers {
		go func() {
			_, err := c.Discharge(t.Context(), m)
			results <- err
		}()
	}
	require.Eventually(t, func() bool { return c.Waiting() == callers+1 }, 5*time.Second, time.Millisecond)
	leave()
	require.ErrorIs(t, <-left, context.Canceled)
	close(release)
	for range callers {
		require.NoError(t, <-results)
	}
	assert.EqualValues(t, 1, s.requests.Load())
}

func TestAFetchEndsWithItsLastCaller(t *testing.T) {
	entered, ended := make(chan struct{}), make(chan struct{})
	s := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm() // the server notices that a client leaves after it has read the body
		close(entered)
		<-r.Context().Done()
		close(ended)
	}))
	ctx, cancel := context.WithCancel(t.Context())
	c := clientOf(t, []string{s.url}, discharge.WithTimeout(time.Minute))
	go func() { <-entered; cancel() }()
	_, err := c.Discharge(ctx, needing(t, s.url))
	require.ErrorIs(t, err, context.Canceled)
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("the request goes on")
	}
	assert.Zero(t, c.Waiting())
}

func TestAClientSendsItsCredentials(t *testing.T) {
	s := serveCheck(t, func(_ context.Context, q discharge.Question) (discharge.Answer, error) {
		if _, password, _ := q.Request.BasicAuth(); password != "secret" {
			return discharge.Answer{}, errors.Unauthorized(nil)
		}
		return discharge.Grant(), nil
	})
	_, err := clientOf(t, []string{s.url}, discharge.WithCredentials(func(r *http.Request) error {
		r.SetBasicAuth("alice", "secret")
		return nil
	})).Discharge(t.Context(), needing(t, s.url))
	require.NoError(t, err)

	_, err = clientOf(t, []string{s.url}).Discharge(t.Context(), needing(t, s.url))
	require.ErrorIs(t, err, errors.IDUnauthorized)
	require.ErrorContains(t, err, s.url)

	_, err = clientOf(t, []string{s.url}, discharge.WithCredentials(func(*http.Request) error {
		return errors.NotFound()
	})).Discharge(t.Context(), needing(t, s.url))
	requireOperational(t, err)
}

func TestAClientUsesTheTransportAndTheCookiesOfAnother(t *testing.T) {
	s := httptest.NewUnstartedServer(handlerOf(t, grants))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	_, err := clientOf(t, []string{s.URL}).Discharge(t.Context(), needing(t, s.URL))
	requireOperational(t, err)
	_, err = clientOf(t, []string{s.URL}, discharge.WithHTTPClient(s.Client())).Discharge(t.Context(), needing(t, s.URL))
	require.NoError(t, err)
}

func TestAClientFetchesThePublicKey(t *testing.T) {
	s := serveCheck(t, grants)
	c := clientOf(t, []string{s.url})
	key, err := c.PublicKey(t.Context(), s.url)
	require.NoError(t, err)
	assert.Equal(t, dischargerKey.Public(), key)
	_, err = c.PublicKey(t.Context(), "https://elsewhere.example.org")
	require.ErrorIs(t, err, errors.IDBadData)

	for name, body := range map[string]string{
		"low order": `{"PublicKey":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}`,
		"no key":    `{}`,
		"no JSON":   `key`,
	} {
		s := serve(t, answering(http.StatusOK, "application/json", body))
		_, err = clientOf(t, []string{s.url}).PublicKey(t.Context(), s.url)
		require.ErrorContains(t, err, "fetch the public key", name)
		requireOperational(t, err)
	}
}

// answering always gives the same answer.
func answering(status int, contentType, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, body)
	})
}

func TestLocationsThatAClientCannotHave(t *testing.T) {
	for _, text := range []string{
		"", "id.example.org", "/x", "https://", "https:///x", "https://:443", "http://id.example.org", "http://10.0.0.1", "http://127.0.0.1.example.org",
		"ftp://id.example.org", "file:///etc/passwd", "https://user@id.example.org", "https://id.example.org?x", "https://id.example.org/?",
		"https://id.example.org#x", "https://id.example.org/#", "https://[::1", "http://localhost.example.org",
	} {
		_, err := discharge.NewClient([]string{text})
		require.ErrorIs(t, err, errors.IDBadData, text)
	}
	for _, text := range []string{"https://id.example.org", "https://id.example.org/a/b/", "http://127.0.0.1:80", "http://[::1]:80", "http://localhost"} {
		_, err := discharge.NewClient([]string{text})
		require.NoError(t, err, text)
	}
	_, err := discharge.NewClient([]string{"http://id.example.org"}, discharge.WithPlainHTTP())
	require.NoError(t, err)
	_, err = discharge.NewClient([]string{"ftp://id.example.org"}, discharge.WithPlainHTTP())
	require.ErrorIs(t, err, errors.IDBadData)
	_, err = discharge.NewClient(nil, discharge.WithTimeout(0))
	require.ErrorIs(t, err, errors.IDBadValueTooLow)
}
