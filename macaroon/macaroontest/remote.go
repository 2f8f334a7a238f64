package macaroontest

import (
	"context"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store"
)

// Remote is an Onezone that somebody else runs: a [Server] whose answers and
// connections the test controls, and which records the requests it receives.
// Its clock, its users and its tokens are those of its harness. It is safe for
// concurrent use.
type Remote struct {
	*Server
	// Origin is the URL without the path of the API, such as
	// "http://127.0.0.1:40123". Clients take it; URL includes the path.
	Origin string
	// Roots are the roots that clients must trust. It is nil without TLS.
	Roots *x509.CertPool

	tls       bool
	handler   http.Handler
	mu        sync.Mutex
	listening *httptest.Server // nil while it is stopped
	behaviors []Behavior       // of the next requests; the last one stays
	changed   chan struct{}    // closed when the behavior changes or the server stops
	received  []Received
}

// Received is a request that a [Remote] received.
type Received struct {
	Method string
	Path   string // below the path of the API, such as "/tokens/verify_access_token"
	Header http.Header
	Body   []byte
}

// RemoteOption configures a [Remote]; pass it to [NewRemote].
type RemoteOption func(*remoteConfig)

type remoteConfig struct {
	tls       bool
	authority []macaroon.Option
	api       []rest.Option
}

// WithTLS serves HTTPS. The certificate is that of 127.0.0.1 and example.com,
// and is signed by [Remote].Roots.
func WithTLS() RemoteOption { return func(c *remoteConfig) { c.tls = true } }

// WithAuthority adds options of the authority, as [New] takes them.
func WithAuthority(options ...macaroon.Option) RemoteOption {
	return func(c *remoteConfig) { c.authority = append(c.authority, options...) }
}

// WithAPI adds options of the token API, as [NewServer] takes them.
func WithAPI(options ...rest.Option) RemoteOption {
	return func(c *remoteConfig) { c.api = append(c.api, options...) }
}

// NewRemote returns a new Onezone that is served on a free port of the loopback
// interface, and works until [Remote.Behave] or [Remote.Stop] is called. It
// does not limit the requests in flight. If NewRemote or a method fails, the
// test fails.
func NewRemote(tb testing.TB, options ...RemoteOption) *Remote {
	tb.Helper()
	var c remoteConfig
	for _, option := range options {
		option(&c)
	}
	h := New(tb, c.authority...)
	api, err := rest.NewHandler(h.Authority, append([]rest.Option{rest.WithMaxInFlight(0)}, c.api...)...)
	h.must(err)
	r := &Remote{tls: c.tls, handler: api, changed: make(chan struct{}), Server: &Server{Harness: h}}
	tb.Cleanup(r.Stop)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	h.must(err)
	r.serve(listener)
	r.Origin, r.URL, r.http = r.listening.URL, r.listening.URL+rest.Prefix, r.listening
	if c.tls {
		r.Roots = x509.NewCertPool()
		r.Roots.AddCert(r.listening.Certificate())
	}
	return r
}

// serve starts to serve. The caller holds mu, or is the only user.
func (r *Remote) serve(listener net.Listener) {
	r.listening = httptest.NewUnstartedServer(http.HandlerFunc(r.answer))
	_ = r.listening.Listener.Close()
	r.listening.Listener = listener
	r.listening.Config.MaxHeaderBytes = rest.MaxHeaderBytes
	r.listening.Config.ErrorLog = log.New(io.Discard, "", 0) // of connections that the test breaks
	if r.tls {
		r.listening.StartTLS()
		return
	}
	r.listening.Start()
}

// Stop drops all connections, and refuses new ones until Start is called.
func (r *Remote) Stop() {
	r.mu.Lock()
	s := r.listening
	r.listening = nil
	r.release()
	r.mu.Unlock()
	if s == nil {
		return
	}
	_ = s.Listener.Close()
	s.CloseClientConnections()
	s.Close()
}

// Start serves again at the same address after Stop. If another process took
// the port, the test fails.
func (r *Remote) Start() {
	r.tb.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.listening != nil {
		return
	}
	_, address, _ := strings.Cut(r.Origin, "://")
	listener, err := net.Listen("tcp", address)
	r.must(err)
	r.serve(listener)
}

// release ends the delays and hung requests. The caller holds mu.
func (r *Remote) release() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// Requests returns the requests to a path of the API, such as
// "/tokens/verify_access_token", in the order of their arrival. For an empty
// path it returns all requests.
func (r *Remote) Requests(path string) []Received {
	r.mu.Lock()
	defer r.mu.Unlock()
	if path == "" {
		return slices.Clone(r.received)
	}
	var list []Received
	for _, one := range r.received {
		if one.Path == path {
			list = append(list, one)
		}
	}
	return list
}

// ForgetRequests removes all requests from the record.
func (r *Remote) ForgetRequests() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.received = nil
}

// AwaitRequests waits until n requests to a path arrived since the last call of
// ForgetRequests; an empty path is every path. After 10 seconds the test fails.
// Only the goroutine of the test may call it, because it calls FailNow.
func (r *Remote) AwaitRequests(path string, n int) {
	r.tb.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for len(r.Requests(path)) < n {
		if time.Now().After(deadline) {
			r.tb.Fatalf("macaroontest: want %d requests to %q, got %d", n, path, len(r.Requests(path)))
		}
		time.Sleep(time.Millisecond)
	}
}

// ReplaceSecrets replaces the secrets of all tokens, as if a new Onezone had
// been installed at the same address: the tokens that it issued are tokenInvalid.
func (r *Remote) ReplaceSecrets() {
	r.tb.Helper()
	ctx := context.Background()
	renew := func(s store.Secret) store.Secret { return store.NewSecret("another " + s.Reveal()) }
	for _, kind := range []store.RecordKind{store.TokenRecords, store.TemporaryRecords} {
		for after, more := "", true; more; more = after != "" {
			records, next, err := r.Store.Export(ctx, kind, after, store.MaxPage)
			r.must(err)
			for _, one := range records {
				if one.Token != nil {
					one.Token.Secret = renew(one.Token.Secret)
				} else {
					one.Temporary.Secret = renew(one.Temporary.Secret)
				}
			}
			r.must(r.Store.Import(ctx, records))
			after = next
		}
	}
}
