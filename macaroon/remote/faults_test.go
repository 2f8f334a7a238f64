package remote_test

import (
	"context"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/remote"
	"github.com/onezone-go/onezone/macaroon/rest"
)

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var followed atomic.Int64
	z, elsewhere := newZone(t), newZone(t)
	elsewhere.misbehave(func(http.ResponseWriter, *http.Request) { followed.Add(1) })
	for _, status := range []int{301, 302, 303, 307, 308} {
		z.misbehave(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.server.URL+r.URL.Path, status)
		})
		before := z.requests()
		_, err := z.client(t).VerifyAccess(t.Context(), z.Token().String(), caveat.Request{})
		requireOperational(t, err)
		require.Equal(t, before+1, z.requests(), "a redirect is not transient")
	}
	require.Zero(t, followed.Load())
}

func TestBrokenAnswersSayNothingAboutTheToken(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	alice, _ := z.Alice.MarshalJSON()
	expiring := z.Token(caveat.Until(z.Clock.Now().Add(time.Hour))).String()
	for name, answer := range map[string]http.HandlerFunc{
		"200 without JSON":   respondWith(200, "<html>Welcome to the hotel network</html>"),
		"200 without a body": respondWith(200, ""),
		"null":               respondWith(200, "null"),
		"a list":             respondWith(200, "[]"),
		"two subjects":       respondWith(200, `{"subject":{"type":"user","id":"x"},"subject":`+string(alice)+`,"ttl":10}`),
		"two values":         respondWith(200, vouchFor(z.Alice, "10")+"{}"),
		"without ttl":        respondWith(200, `{"subject":`+string(alice)+`}`),
		"without subject":    respondWith(200, `{"ttl":10}`),
		"null ttl":           respondWith(200, vouchFor(z.Alice, "null")), // the token expires
		"negative ttl":       respondWith(200, vouchFor(z.Alice, "-1")),
		"zero ttl":           respondWith(200, vouchFor(z.Alice, "0")),
		"fraction":           respondWith(200, vouchFor(z.Alice, "1.5")),
		"huge ttl":           respondWith(200, vouchFor(z.Alice, "1e400")),
		"text ttl":           respondWith(200, vouchFor(z.Alice, `"10"`)),
		"204":                respondWith(204, ""),
		"10 MB":              respondWith(200, vouchFor(z.Alice, strings.Repeat(" ", 10<<20)+"10")),
		"10 MB of a refusal": respondWith(400, `{"error":{"id":"tokenInvalid"},"x":"`+strings.Repeat("x", 10<<20)+`"}`),
		"cut": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, vouchFor(z.Alice, "10"))
		},
		"closed":                func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"500":                   respondWith(500, `{"error":{"id":"internalServerError","description":"x"}}`),
		"verdict in a 500":      respondWith(500, `{"error":{"id":"tokenInvalid","description":"x"}}`),
		"verdict in a 403":      respondWith(403, `{"error":{"id":"tokenInvalid","description":"x"}}`),
		"401":                   respondWith(401, `{"error":{"id":"unauthorized","description":"x"}}`),
		"401 about credentials": respondWith(401, `{"error":{"id":"unauthorized","details":{"authError":{"id":"tokenInvalid","description":"x"}},"description":"x"}}`),
		"403":                   respondWith(403, `{"error":{"id":"forbidden","description":"x"}}`),
		"404":                   respondWith(404, "404 page not found"),
		"400 without JSON":      respondWith(400, "Bad Request"),
		"400 without an error":  respondWith(400, "{}"),
		"400 with a null error": respondWith(400, `{"error":null}`),
		"400 about the body":    respondWith(400, `{"error":{"id":"malformedData","description":"x"}}`),
		"400 about an address":  respondWith(400, `{"error":{"id":"badValueIPv4Address","details":{"key":"peerIp"},"description":"x"}}`),
		"400 of another system": respondWith(400, `{"error":{"id":"invalid_request","description":"x"}}`),
	} {
		z.misbehave(answer)
		// Each with its own client, so that the breaker does not hide the answer.
		auth, err := z.client(t, remote.WithRetries(0)).VerifyAccess(t.Context(), expiring, caveat.Request{})
		require.Zero(t, auth, name)
		require.Error(t, err, name)
		_, catalogued := errors.AsType[*errors.Error](err)
		require.False(t, catalogued, "%s: %v", name, err)
		require.NotContains(t, err.Error(), expiring, name)
		require.Equal(t, strings.HasPrefix(name, "10 MB"), strings.Contains(err.Error(), "longer than 4194304 bytes"), "%s: %v", name, err)
	}
}

func TestBrokenAnswersAreNotCached(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	c := z.client(t, remote.WithRetries(0))
	token := z.Token().String()
	z.misbehave(respondWith(200, "{}"))
	_, err := c.VerifyAccess(t.Context(), token, caveat.Request{})
	requireOperational(t, err)
	z.misbehave(nil)
	_, err = c.VerifyAccess(t.Context(), token, caveat.Request{})
	require.NoError(t, err)
}

func TestATTLOfABillionYearsIsNoLongerThanMaxAge(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	z.misbehave(respondWith(200, vouchFor(z.Alice, "31557600000000000")))
	c := z.client(t)
	token := z.Token(caveat.Time{ValidUntil: 1 << 60}).String()
	for range 2 {
		_, err := c.VerifyAccess(t.Context(), token, caveat.Request{})
		require.NoError(t, err)
	}
	require.Equal(t, 1, z.requests())
	z.Clock.Advance(remote.DefaultMaxAge)
	_, err := c.VerifyAccess(t.Context(), token, caveat.Request{})
	require.NoError(t, err)
	require.Equal(t, 2, z.requests())
}

func TestUndecodableFieldsAreErrorsOfTheirToken(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	party := caveat.PartyToken(z.identity().String())
	for key, want := range map[string]errors.ID{
		"token": errors.IDTokenTooLarge, "serviceToken": errors.IDBadServiceToken, "consumerToken": errors.IDBadConsumerToken,
	} {
		z.misbehave(respondWith(400, `{"error":{"id":"badValueToken","details":{"key":"`+key+
			`","tokenError":{"id":"tokenTooLarge","details":{"limit":8192},"description":"x"}},"description":"x"}}`))
		_, err := z.client(t).VerifyAccess(t.Context(), z.Token().String(), caveat.Request{ServiceToken: party, ConsumerToken: party})
		e, ok := err.(*errors.Error)
		require.True(t, ok, "%v", err)
		require.Equal(t, want, e.ID)
		require.ErrorIs(t, err, errors.IDTokenTooLarge)
	}
}

func TestOnlyTheCertificateOfTheHostIsAccepted(t *testing.T) {
	t.Parallel()
	z := newTLSZone(t)
	roots := x509.NewCertPool()
	roots.AddCert(z.server.Certificate())
	token := z.Token().String()

	_, err := z.client(t, remote.WithRootCAs(roots)).VerifyAccess(t.Context(), token, caveat.Request{})
	require.NoError(t, err)
	require.Equal(t, 1, z.requests())

	// The certificate is for 127.0.0.1.
	elsewhere := strings.Replace(z.server.URL, "127.0.0.1", "localhost", 1)
	for name, c := range map[string]*remote.Client{
		"another host":  connect(t, elsewhere, remote.WithRootCAs(roots), remote.WithDomains(z.Authority.Domain())),
		"unknown roots": z.client(t, remote.WithDomains(z.Authority.Domain())),
	} {
		_, err := c.VerifyAccess(t.Context(), token, caveat.Request{})
		requireOperational(t, err)
		require.ErrorContains(t, err, "certificate", name)
		require.EqualValues(t, 1, c.Stats().RequestsFailed, "%s: a bad certificate is not transient", name)
	}
	require.Equal(t, 1, z.requests())
}

func TestDNSFailuresAreOperational(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	noServers := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no name server answers")
	}}
	c := connect(t, "https://onezone.example.org", remote.WithTransport(&http.Transport{
		DialContext: (&net.Dialer{Resolver: noServers}).DialContext,
	}))
	_, err := c.VerifyAccess(t.Context(), z.Token().String(), caveat.Request{})
	requireOperational(t, err)
	require.ErrorContains(t, err, "onezone.example.org")
	require.NotZero(t, c.Stats().RequestsFailed)
}

func TestATransportWithoutAResponseIsOperational(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	for _, response := range []*http.Response{nil, {StatusCode: http.StatusOK}} {
		transport := roundTrip(func(*http.Request) (*http.Response, error) { return response, nil })
		c := z.client(t, remote.WithTransport(transport), remote.WithDomains(z.Authority.Domain()))
		_, err := c.VerifyAccess(t.Context(), z.Token().String(), caveat.Request{})
		requireOperational(t, err)
		require.ErrorContains(t, err, "no response")
	}
}

func TestAHungOnezoneIsAbandonedAfterTheTimeout(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	z.misbehave(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		_, _ = io.WriteString(w, "{")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	})
	c := z.client(t, remote.WithTimeout(200*time.Millisecond))
	_, err := c.VerifyAccess(t.Context(), z.Token().String(), caveat.Request{})
	requireOperational(t, err)
	require.ErrorContains(t, err, "did not answer within")
	require.NotErrorIs(t, err, context.DeadlineExceeded, "it is not the deadline of the caller")
	require.GreaterOrEqual(t, z.requests(), 1)
}

func TestAnOnezoneRestartedWithAnotherSecretRefusesOldTokens(t *testing.T) {
	t.Parallel()
	z, restarted := newZone(t), newZone(t)
	c := z.client(t)
	restarted.Token() // advances its source of secrets
	token := z.Temporary().String()
	require.NotEqual(t, token, restarted.Temporary().String())
	_, err := c.VerifyAccess(t.Context(), token, caveat.Request{})
	require.NoError(t, err)
	z.misbehave(restarted.api.ServeHTTP)
	z.Clock.Advance(remote.DefaultMaxAge)
	_, err = c.VerifyAccess(t.Context(), token, caveat.Request{})
	require.ErrorIs(t, err, errors.IDTokenInvalid)
}

func TestTransientFailuresAreRetried(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	for name, fault := range map[string]http.HandlerFunc{
		"503":     respondWith(503, ""),
		"closed":  func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"garbage": respondWith(200, "garbage"),
	} {
		var asked atomic.Int64
		z.misbehave(func(w http.ResponseWriter, r *http.Request) {
			if asked.Add(1) <= 2 {
				fault(w, r)
				return
			}
			z.misbehave(nil)
			z.api.ServeHTTP(w, r)
		})
		_, err := z.client(t).VerifyAccess(t.Context(), z.Token().String(), caveat.Request{})
		require.NoError(t, err, name)
		require.EqualValues(t, 3, asked.Load(), name)
	}
}

func TestOnezoneIsGivenThePauseItAsksFor(t *testing.T) {
	t.Parallel()
	for _, status := range []int{429, 503} {
		z := newZone(t)
		c := z.client(t)
		known := z.Token().String()
		_, err := c.VerifyAccess(t.Context(), known, caveat.Request{})
		require.NoError(t, err)
		z.misbehave(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "20")
			w.WriteHeader(status)
		})
		for range 3 {
			_, err := c.VerifyAccess(t.Context(), z.Token().String(), caveat.Request{})
			requireOperational(t, err)
		}
		require.Equal(t, 2, z.requests(), "one for the known token, one that was told to wait")
		_, err = c.VerifyAccess(t.Context(), known, caveat.Request{})
		require.NoError(t, err)

		z.Clock.Advance(5 * time.Second)
		handler := rest.Authenticate(c, rest.WithLogger(slog.New(slog.DiscardHandler)))(http.NotFoundHandler())
		res := macaroontest.Get(t, handler, "/", z.Token())
		require.Equal(t, http.StatusServiceUnavailable, res.Status)
		require.ErrorIs(t, res.Err(), errors.IDServiceUnavailable)
		require.Equal(t, "15", res.Header.Get("Retry-After"))

		z.misbehave(nil)
		z.Clock.Advance(15 * time.Second)
		_, err = c.VerifyAccess(t.Context(), z.Token().String(), caveat.Request{})
		require.NoError(t, err)
	}
}

func TestNoPauseIsLongerThanAMinute(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	for _, value := range []string{"999999999", z.Clock.Now().Add(240 * time.Hour).UTC().Format(http.TimeFormat)} {
		c := z.client(t)
		z.misbehave(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", value)
			w.WriteHeader(429)
		})
		_, err := c.VerifyAccess(t.Context(), z.Token().String(), caveat.Request{})
		requireOperational(t, err)
		z.misbehave(nil)
		z.Clock.Advance(59 * time.Second)
		_, err = c.VerifyAccess(t.Context(), z.Token().String(), caveat.Request{})
		requireOperational(t, err)
		z.Clock.Advance(time.Second)
		_, err = c.VerifyAccess(t.Context(), z.Token().String(), caveat.Request{})
		require.NoError(t, err)
	}
}

func TestAnUnreachableOnezoneIsNeverAVerdict(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	c := z.client(t)
	_, err := c.VerifyAccess(t.Context(), z.Token().String(), caveat.Request{})
	require.NoError(t, err)
	z.server.Close()
	handler := rest.Authenticate(c, rest.WithLogger(slog.New(slog.DiscardHandler)))(http.NotFoundHandler())
	res := macaroontest.Get(t, handler, "/", z.Token())
	require.Equal(t, http.StatusServiceUnavailable, res.Status)
	require.ErrorIs(t, res.Err(), errors.IDServiceUnavailable)
}
