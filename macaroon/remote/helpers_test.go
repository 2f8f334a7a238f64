package remote_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
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
	"github.com/onezone-go/onezone/macaroon/remote"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store"
)

// zone is an Onezone on the loopback interface that counts its requests and can
// be made to misbehave.
type zone struct {
	*macaroontest.Harness
	api    http.Handler
	server *httptest.Server

	mu     sync.Mutex
	bodies []map[string]any // of the verifications, in order
	faulty http.HandlerFunc // answers the verifications; nil: the token API does
	hidden bool             // GET /configuration is missing
}

func newZone(t *testing.T, options ...macaroon.Option) *zone {
	t.Helper()
	z := &zone{Harness: macaroontest.New(t, options...)}
	z.server = httptest.NewServer(z.handler(t))
	t.Cleanup(z.server.Close)
	return z
}

// newTLSZone returns a zone that is reached over TLS.
func newTLSZone(t *testing.T) *zone {
	t.Helper()
	z := &zone{Harness: macaroontest.New(t)}
	z.server = httptest.NewTLSServer(z.handler(t))
	t.Cleanup(z.server.Close)
	return z
}

func (z *zone) handler(t *testing.T) http.Handler {
	t.Helper()
	var err error
	z.api, err = rest.NewHandler(z.Authority)
	require.NoError(t, err)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/configuration") {
			z.mu.Lock()
			hidden := z.hidden
			z.mu.Unlock()
			if hidden {
				http.NotFound(w, r)
				return
			}
			z.api.ServeHTTP(w, r)
			return
		}
		data, _ := io.ReadAll(r.Body)
		var body map[string]any
		_ = json.Unmarshal(data, &body)
		z.mu.Lock()
		z.bodies = append(z.bodies, body)
		faulty := z.faulty
		z.mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(data))
		if faulty != nil {
			faulty(w, r)
			return
		}
		z.api.ServeHTTP(w, r)
	})
}

// misbehave makes the zone answer verifications with the handler; nil repairs it.
func (z *zone) misbehave(h http.HandlerFunc) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.faulty = h
}

// requests returns the number of verifications that the zone was asked for.
func (z *zone) requests() int {
	z.mu.Lock()
	defer z.mu.Unlock()
	return len(z.bodies)
}

// lastBody returns the body of the last verification.
func (z *zone) lastBody() map[string]any {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.bodies[len(z.bodies)-1]
}

// client returns a client of the zone that shares its clock.
func (z *zone) client(t *testing.T, options ...remote.Option) *remote.Client {
	t.Helper()
	return connect(t, z.server.URL, append([]remote.Option{remote.WithClock(z.Clock.Now)}, options...)...)
}

func connect(t *testing.T, url string, options ...remote.Option) *remote.Client {
	t.Helper()
	c, err := remote.New(url, append([]remote.Option{remote.QuickBackOff(), remote.WithLogger(slog.New(slog.DiscardHandler))}, options...)...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// identity returns an identity token of Alice.
func (z *zone) identity(cs ...caveat.Caveat) macaroon.Token {
	return z.TokenOf(z.Alice, macaroon.IdentityToken(), cs...)
}

// mint returns a token of Alice that the zone has no record of.
func (z *zone) mint(t *testing.T, typ macaroon.Type, cs ...caveat.Caveat) macaroon.Token {
	t.Helper()
	token, err := macaroon.Mint(macaroon.Spec{
		Domain: z.Authority.Domain(), ID: "unrecorded", Subject: z.Alice, Type: typ, Caveats: cs,
	}, store.NewSecret(strings.Repeat("0", 64)))
	require.NoError(t, err)
	return token
}

func (z *zone) revoke(t *testing.T, token macaroon.Token) {
	t.Helper()
	require.NoError(t, z.Authority.Revoke(t.Context(), token.ID()))
}

// respondWith returns a handler with a fixed response.
func respondWith(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// vouchFor returns the body of a good answer with the JSON of a ttl.
func vouchFor(subject caveat.Subject, ttl string) string {
	data, err := json.Marshal(subject)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`{"subject":%s,"ttl":%s}`, data, ttl)
}

// requireOperational asserts that err says nothing about a token.
func requireOperational(t *testing.T, err error) {
	t.Helper()
	require.Error(t, err)
	_, catalogued := errors.AsType[*errors.Error](err)
	require.False(t, catalogued, "%v is an error of the catalogue", err)
}

// eventually polls until the condition holds.
func eventually(t *testing.T, condition func() bool, what string) {
	t.Helper()
	require.Eventually(t, condition, 10*time.Second, time.Millisecond, what)
}

// from returns a request from the address.
func from(addr string) caveat.Request { return caveat.Request{IP: netip.MustParseAddr(addr)} }
