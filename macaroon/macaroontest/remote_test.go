package macaroontest_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
)

const verifyAccess = "/tokens/verify_access_token"

// ask asks the Onezone, over a new connection, whether a token is good.
func ask(ctx context.Context, r *macaroontest.Remote, token macaroon.Token) (status int, body string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL+verifyAccess, strings.NewReader(`{"token":"`+token.String()+`"}`))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", "application/json")
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: r.Roots}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	return res.StatusCode, string(data), err
}

const alice = `{"subject":{"type":"user","id":"u-alice"},"ttl":null}`

func requireWorks(t *testing.T, r *macaroontest.Remote) {
	t.Helper()
	status, body, err := ask(t.Context(), r, r.Token())
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	require.JSONEq(t, alice, body)
}

func TestRemoteWorks(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]*macaroontest.Remote{
		"http":  macaroontest.NewRemote(t),
		"https": macaroontest.NewRemote(t, macaroontest.WithTLS()),
	} {
		require.True(t, strings.HasPrefix(r.Origin, name+"://127.0.0.1:"))
		require.Equal(t, r.Origin+rest.Prefix, r.URL)
		require.Equal(t, name == "https", r.Roots != nil)
		requireWorks(t, r)
		macaroontest.AssertStatus(t, r.Do("GET", "/user", nil, macaroontest.Basic("bob")), http.StatusOK)
	}
}

func TestRemoteTakesOptions(t *testing.T) {
	t.Parallel()
	r := macaroontest.NewRemote(t, macaroontest.WithAuthority(macaroon.WithDomain("zone.example.com")),
		macaroontest.WithAPI(rest.WithoutBasicAuth()))
	require.Equal(t, "zone.example.com", r.Token().Domain())
	macaroontest.AssertStatus(t, r.Do("GET", "/user", nil, macaroontest.Basic("bob")), http.StatusUnauthorized)
}

func TestRemoteRecordsRequests(t *testing.T) {
	t.Parallel()
	r := macaroontest.NewRemote(t)
	token := r.Token()
	_, _, err := ask(t.Context(), r, token)
	require.NoError(t, err)
	r.Behave(macaroontest.Unavailable())
	r.Do("GET", "/configuration", nil, nil)
	require.Len(t, r.Requests(""), 2, "requests that fail are counted, too")
	require.Len(t, r.Requests("/configuration"), 1)
	got := r.Requests(verifyAccess)
	require.Len(t, got, 1)
	require.Equal(t, "POST", got[0].Method)
	require.Equal(t, "application/json", got[0].Header.Get("Content-Type"))
	require.JSONEq(t, `{"token":"`+token.String()+`"}`, string(got[0].Body))
	r.ForgetRequests()
	require.Empty(t, r.Requests(""))
}

func TestRemoteStopsAndStarts(t *testing.T) {
	t.Parallel()
	r := macaroontest.NewRemote(t)
	requireWorks(t, r)
	for range 3 {
		r.Stop()
		r.Stop()
		_, _, err := ask(t.Context(), r, r.Token())
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
		r.Start()
		r.Start()
		requireWorks(t, r)
	}
}

func TestRemoteBehavesInTurn(t *testing.T) {
	t.Parallel()
	r := macaroontest.NewRemote(t)
	r.Behave(macaroontest.Unavailable(), macaroontest.TooManyRequests(7), macaroontest.Behavior{})
	var statuses []int
	for range 4 {
		res := r.Do("GET", "/configuration", nil, nil)
		statuses = append(statuses, res.Status)
		if res.Status == http.StatusTooManyRequests {
			require.Equal(t, "7", res.Header.Get("Retry-After"))
		}
	}
	require.Equal(t, []int{503, 429, 200, 200}, statuses)
	only := macaroontest.Unavailable()
	only.Path = verifyAccess
	r.Behave(only)
	macaroontest.AssertStatus(t, r.Do("GET", "/configuration", nil, nil), http.StatusOK)
	macaroontest.AssertStatus(t, r.Do("POST", verifyAccess, "{}", nil), http.StatusServiceUnavailable)
	r.Behave()
	requireWorks(t, r)
}

// A request that hangs ends when its client gives up, when the behavior
// changes, or when the server stops.
func TestRemoteHangs(t *testing.T) {
	t.Parallel()
	r := macaroontest.NewRemote(t)
	token := r.Token()
	for name, end := range map[string]func(cancel func()){
		"client":   func(cancel func()) { cancel() },
		"behavior": func(func()) { r.Behave() },
		"server":   func(func()) { r.Stop(); r.Start() },
	} {
		t.Run(name, func(t *testing.T) {
			r.ForgetRequests()
			r.Behave(macaroontest.Behavior{Hang: true})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var wg sync.WaitGroup
			wg.Go(func() {
				if _, _, err := ask(ctx, r, token); err == nil {
					t.Error("the request was answered")
				}
			})
			r.AwaitRequests(verifyAccess, 1)
			end(cancel)
			wg.Wait()
		})
	}
}

func TestRemoteIsSlow(t *testing.T) {
	t.Parallel()
	r := macaroontest.NewRemote(t)
	r.Behave(macaroontest.Behavior{Delay: 20 * time.Millisecond})
	began := time.Now()
	requireWorks(t, r)
	require.GreaterOrEqual(t, time.Since(began), 20*time.Millisecond)
}

// A fault is never the answer of a working Onezone, nor a verdict.
func TestFaultsSayNothingAboutAToken(t *testing.T) {
	t.Parallel()
	r := macaroontest.NewRemote(t)
	token := r.Token()
	require.GreaterOrEqual(t, len(macaroontest.Faults()), 20)
	for name, fault := range macaroontest.Faults() {
		r.Behave(fault)
		_, body, err := ask(t.Context(), r, token)
		if err == nil {
			require.NotEqual(t, alice, body, name)
		}
		switch {
		case fault.Reset:
			require.Error(t, err, name)
		case fault.Cut:
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			require.NotEmpty(t, body)
		default:
			require.NoError(t, err, name)
			require.Equal(t, fault.Body, body, name)
		}
	}
	r.Behave()
	requireWorks(t, r)
}

func TestRemoteReplacesSecrets(t *testing.T) {
	t.Parallel()
	r := macaroontest.NewRemote(t)
	requireWorks(t, r)
	tokens := map[string]macaroon.Token{"named": r.Token(), "temporary": r.Temporary()}
	r.ReplaceSecrets()
	for name, token := range tokens {
		status, body, err := ask(t.Context(), r, token)
		require.NoError(t, err)
		require.Equal(t, http.StatusBadRequest, status, name)
		require.Contains(t, body, "tokenInvalid", name)
	}
	requireWorks(t, r)
}

func TestRemoteFailsItsTest(t *testing.T) {
	t.Parallel()
	o := watch(t, func(tb testing.TB) {
		macaroontest.NewRemote(tb, macaroontest.WithAuthority(macaroon.WithDomain("")))
	})
	require.True(t, o.stopped)
	var opaque *tls.CertificateVerificationError
	_, _, err := ask(t.Context(), withoutRoots(macaroontest.NewRemote(t, macaroontest.WithTLS())), macaroon.Token{})
	require.True(t, errors.As(err, &opaque), "a client that does not trust the roots gets no answer")
}

func withoutRoots(r *macaroontest.Remote) *macaroontest.Remote {
	r.Roots = nil
	return r
}
