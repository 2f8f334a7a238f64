package remote_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
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
)

// service is an HTTP server that records the requests it receives.
type service struct {
	*httptest.Server
	mu       sync.Mutex
	requests []*http.Request
}

// newService starts a server. handler may be nil.
func newService(t *testing.T, start func(http.Handler) *httptest.Server, handler http.HandlerFunc) *service {
	t.Helper()
	s := &service{}
	s.Server = start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, r)
		s.mu.Unlock()
		if handler != nil {
			handler(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// last returns the last request.
func (s *service) last(t *testing.T) *http.Request {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	require.NotEmpty(t, s.requests, "the server received no request")
	return s.requests[len(s.requests)-1]
}

func (s *service) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

// credentials returns the values of all headers that carry a token.
func credentials(r *http.Request) []string {
	var all []string
	for _, name := range []string{"X-Auth-Token", "Authorization", "Macaroon"} {
		all = append(all, r.Header.Values(name)...)
	}
	return all
}

// received returns the token of a request in the header.
func received(t *testing.T, r *http.Request, header string) macaroon.Token {
	t.Helper()
	require.Len(t, r.Header.Values(header), 1)
	token, err := macaroon.Parse(strings.TrimPrefix(r.Header.Get(header), "Bearer "))
	require.NoError(t, err)
	return token
}

// newClient returns a client whose transport sends the token to the origins. It
// trusts the certificates of httptest.
func newClient(t *testing.T, token macaroon.Token, origins []string, options ...remote.TransportOption) *http.Client {
	t.Helper()
	base := newTLSBase(t)
	options = append([]remote.TransportOption{remote.WithBase(base), remote.WithTransportClock(func() time.Time { return macaroontest.Start })}, options...)
	transport, err := remote.NewTransport(remote.StaticToken(token), origins, options...)
	require.NoError(t, err)
	return &http.Client{Transport: transport}
}

// newTLSBase returns a transport that trusts the certificate that all servers
// of httptest have.
func newTLSBase(t *testing.T) *http.Transport {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	base := s.Client().Transport.(*http.Transport).Clone()
	t.Cleanup(base.CloseIdleConnections)
	return base
}

func get(t *testing.T, c *http.Client, url string) *http.Response {
	t.Helper()
	res, err := c.Get(url)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res
}

// writeToken writes a file with a mode and returns its path.
func writeToken(t testing.TB, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	require.NoError(t, os.Chmod(path, mode))
	return path
}

func TestEachRequestCarriesAConfinedCopy(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	token := h.Token()
	s := newService(t, httptest.NewServer, nil)
	for name, c := range map[string]struct {
		header  string
		options []remote.TransportOption
		caveats []string
	}{
		"by default for a minute": {"X-Auth-Token", nil, []string{"time < 1727784060"}},
		"as a bearer token":       {"Authorization", []remote.TransportOption{remote.AsBearer()}, []string{"time < 1727784060"}},
		"with a lifetime":         {"X-Auth-Token", []remote.TransportOption{remote.WithLifetime(5 * time.Second)}, []string{"time < 1727784005"}},
		"with caveats": {
			"X-Auth-Token",
			[]remote.TransportOption{remote.WithCaveats(
				caveat.IP{netip.MustParsePrefix("127.0.0.1/32")}, caveat.REST, caveat.Services{{Type: caveat.OpWorker, ID: "p1"}},
			)},
			[]string{"time < 1727784060", "ip = 127.0.0.1/32", "interface = rest", "service = opw-p1"},
		},
		"with caveats of the request": {
			"X-Auth-Token",
			[]remote.TransportOption{remote.WithReadonly(), remote.WithDataPath("/files", "/space1"),
				remote.WithCaveatsFor(func(r *http.Request) ([]caveat.Caveat, error) {
					return []caveat.Caveat{caveat.MustParse("api = all/all/" + r.URL.Query().Get("type") + ".*.*:*")}, nil
				})},
			[]string{"time < 1727784060", "data.readonly", "data.path = L3NwYWNlMS9h", "api = all/all/user.*.*:*"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, token, []string{s.URL}, c.options...)
			get(t, client, s.URL+"/files/a?type=user")
			require.Len(t, credentials(s.last(t)), 1)
			require.Equal(t, c.caveats, received(t, s.last(t), c.header).Caveats())
		})
	}
}

// A service behind rest.Authenticate accepts a copy until it expires.
func TestServicesAcceptCopiesUntilTheyExpire(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	protected := rest.Authenticate(h.Authority)(rest.RequireClient()(http.NotFoundHandler()))
	s := newService(t, httptest.NewServer, protected.ServeHTTP)
	client := newClient(t, h.Token(), []string{s.URL})
	require.Equal(t, http.StatusNotFound, get(t, client, s.URL).StatusCode)

	leaked := received(t, s.last(t), "X-Auth-Token")
	h.Clock.Advance(59 * time.Second)
	macaroontest.AssertStatus(t, macaroontest.Get(t, protected, "/", leaked), http.StatusNotFound)
	h.Clock.Advance(time.Second)
	res := macaroontest.Get(t, protected, "/", leaked)
	macaroontest.AssertError(t, res, errors.IDTokenCaveatUnverified)
}

func TestReadonlyIsOnlyForGetAndHead(t *testing.T) {
	t.Parallel()
	s := newService(t, httptest.NewServer, nil)
	client := newClient(t, macaroontest.New(t).Token(), []string{s.URL}, remote.WithReadonly())
	for method, want := range map[string]bool{"GET": true, "HEAD": true, "": true, "PUT": false, "POST": false, "DELETE": false, "PATCH": false, "OPTIONS": false, "get": false} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", s.URL, nil)
		require.NoError(t, err)
		req.Method = method
		res, err := client.Do(req)
		require.NoError(t, err, method)
		require.NoError(t, res.Body.Close())
		if want {
			require.Contains(t, received(t, s.last(t), "X-Auth-Token").Caveats(), "data.readonly", method)
		} else {
			require.NotContains(t, received(t, s.last(t), "X-Auth-Token").Caveats(), "data.readonly", method)
		}
	}
}

// A Oneprovider presents its tokens with the prefix of the service.
func TestIndicatedServiceIsKept(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	text, err := h.TokenOf(h.Provider, macaroon.AccessToken()).IndicatedBy(caveat.OpWorker)
	require.NoError(t, err)
	token, err := macaroon.Parse(text)
	require.NoError(t, err)
	s := newService(t, httptest.NewServer, nil)
	get(t, newClient(t, token, []string{s.URL}), s.URL)
	require.Equal(t, caveat.OpWorker, received(t, s.last(t), "X-Auth-Token").Indicated())
}

func TestRequestOfTheCallerIsNotChanged(t *testing.T) {
	t.Parallel()
	s := newService(t, httptest.NewServer, nil)
	client := newClient(t, macaroontest.New(t).Token(), []string{s.URL})
	req, err := http.NewRequestWithContext(t.Context(), "PUT", s.URL+"/a?b=c", strings.NewReader("content"))
	require.NoError(t, err)
	req.Header["X-Custom"] = []string{"1"}
	before, header, url := *req, req.Header.Clone(), *req.URL
	res, err := client.Transport.RoundTrip(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, header, req.Header)
	require.Equal(t, url, *req.URL)
	require.Equal(t, before.Host, req.Host)
	require.Same(t, req, res.Request, "the response refers to the request without a token")
	require.Equal(t, "1", s.last(t).Header.Get("X-Custom"))

	req, err = http.NewRequestWithContext(t.Context(), "GET", s.URL, nil)
	require.NoError(t, err)
	req.Header = nil
	res, err = client.Transport.RoundTrip(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Nil(t, req.Header)
}

// closeCounter counts how often a body is closed.
type closeCounter struct {
	io.Reader
	closed int
}

func (c *closeCounter) Close() error {
	c.closed++
	return nil
}

func TestBodyIsClosedAlsoIfTheRequestIsNotSent(t *testing.T) {
	t.Parallel()
	token := macaroontest.New(t).Token()
	fails := func(context.Context) (macaroon.Token, error) { return macaroon.Token{}, errors.New("no token today") }
	refuses := remote.WithCaveatsFor(func(*http.Request) ([]caveat.Caveat, error) { return nil, errors.New("not this one") })
	for name, c := range map[string]struct {
		source  remote.Source
		url     string
		options []remote.TransportOption
		err     string
	}{
		"no token":         {source: fails, url: "https://files.example.org", err: "no token today"},
		"the zero token":   {source: remote.StaticToken(macaroon.Token{}), url: "https://files.example.org", err: "confine the token"},
		"no caveats":       {source: remote.StaticToken(token), url: "https://files.example.org", options: []remote.TransportOption{refuses}, err: "not this one"},
		"another origin":   {source: remote.StaticToken(token), url: "https://other.example.org", err: "not one of the origins"},
		"the base refuses": {source: remote.StaticToken(token), url: "https://files.example.org", options: []remote.TransportOption{remote.WithBase(&recorder{err: io.ErrUnexpectedEOF})}, err: "unexpected EOF"},
	} {
		body := &closeCounter{Reader: strings.NewReader("content")}
		transport, err := remote.NewTransport(c.source, []string{"https://files.example.org"}, append([]remote.TransportOption{remote.WithBase(&recorder{})}, c.options...)...)
		require.NoError(t, err)
		req, err := http.NewRequestWithContext(t.Context(), "PUT", c.url, body)
		require.NoError(t, err)
		res, err := transport.RoundTrip(req)
		require.ErrorContains(t, err, c.err, name)
		require.Nil(t, res)
		require.Equal(t, 1, body.closed, name)
	}
}

func TestRequestWithoutAURLIsAnError(t *testing.T) {
	t.Parallel()
	client := newClient(t, macaroontest.New(t).Token(), []string{"https://files.example.org"})
	_, err := client.Transport.RoundTrip(&http.Request{})
	require.ErrorContains(t, err, "no URL")
}

// The errors of a transport must not look like answers of the service, or of
// the program that uses it.
func TestErrorsOfTheTransportAreOperational(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	long, err := h.Token().ConfineText(manyCaveats(macaroon.DefaultMaxCaveats)...)
	require.NoError(t, err)
	bad := func(context.Context) (macaroon.Token, error) { return macaroon.Token{}, errors.TokenRevoked() }
	invalid := remote.WithCaveatsFor(func(*http.Request) ([]caveat.Caveat, error) { return []caveat.Caveat{caveat.DataPath{"x"}}, nil })
	refused := remote.WithCaveatsFor(func(*http.Request) ([]caveat.Caveat, error) { return nil, errors.Forbidden("not this one") })
	for name, c := range map[string]struct {
		source remote.Source
		option remote.TransportOption
	}{
		"source":           {bad, remote.AsBearer()},
		"too many caveats": {remote.StaticToken(long), remote.AsBearer()},
		"invalid caveat":   {remote.StaticToken(h.Token()), invalid},
		"refused":          {remote.StaticToken(h.Token()), refused},
		"path":             {remote.StaticToken(h.Token()), remote.WithDataPath("/files", "")},
		"zero token":       {remote.StaticToken(macaroon.Token{}), remote.AsBearer()},
	} {
		transport, err := remote.NewTransport(c.source, []string{"https://files.example.org"}, remote.WithBase(&recorder{}), c.option)
		require.NoError(t, err)
		_, err = (&http.Client{Transport: transport}).Get("https://files.example.org/x")
		require.Error(t, err, name)
		_, catalogued := errors.AsType[*errors.Error](err)
		require.False(t, catalogued, "%s: %v", name, err)
		requireNoToken(t, err, long, h.Token().String())
	}
}

func manyCaveats(n int) []string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprintf("time < %d", 1e9+i)
	}
	return texts
}

func TestCanceledRequestIsNotSent(t *testing.T) {
	t.Parallel()
	s := newService(t, httptest.NewServer, nil)
	waits := func(ctx context.Context) (macaroon.Token, error) {
		<-ctx.Done()
		return macaroon.Token{}, ctx.Err()
	}
	transport, err := remote.NewTransport(waits, []string{s.URL})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", s.URL, nil)
	require.NoError(t, err)
	_, err = (&http.Client{Transport: transport}).Do(req)
	require.ErrorIs(t, err, context.Canceled)
	require.Zero(t, s.count())
}

func TestTransportIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	path := writeToken(t, h.Token().String(), 0o600)
	s := newService(t, httptest.NewServer, nil)
	transport, err := remote.NewTransport(remote.TokenFile(path), []string{s.URL}, remote.WithReadonly(), remote.WithCaveats(caveat.REST))
	require.NoError(t, err)
	client := &http.Client{Transport: transport}
	defer client.CloseIdleConnections()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				res, err := client.Get(s.URL)
				if err != nil {
					t.Error(err)
					return
				}
				_ = res.Body.Close()
			}
		})
	}
	wg.Wait()
	require.Equal(t, 160, s.count())
	for _, r := range s.requests {
		require.Len(t, received(t, r, "X-Auth-Token").Caveats(), 3)
	}
}

func TestNewTransportRefusesBadInput(t *testing.T) {
	t.Parallel()
	source := remote.StaticToken(macaroontest.New(t).Token())
	for _, origin := range []string{
		"", "files.example.org", "//files.example.org", "https://", "https://:443", "http://files.example.org", "http://192.0.2.1",
		"ftp://files.example.org", "https://files.example.org/", "https://files.example.org/a", "https://files.example.org?a", "https://files.example.org?",
		"https://files.example.org#a", "https://alice@files.example.org", "http://127.0.0.1.example.org", "http://localhost.example.org", "https:files.example.org", "*",
	} {
		_, err := remote.NewTransport(source, []string{origin})
		require.ErrorIs(t, err, errors.IDBadData, origin)
		require.ErrorContains(t, err, "origin", origin)
	}
	_, err := remote.NewTransport(nil, []string{"https://files.example.org"})
	require.ErrorIs(t, err, errors.IDBadData)
	_, err = remote.NewTransport(source, nil)
	require.ErrorIs(t, err, errors.IDBadData)
	for want, option := range map[errors.ID]remote.TransportOption{
		errors.IDBadValueTooLow:   remote.WithLifetime(time.Second - 1),
		errors.IDBadValueCaveat:   remote.WithCaveats(caveat.REST, caveat.Services{}),
		errors.IDBadData:          remote.WithCaveatsFor(nil),
		errors.IDBadValueFilePath: remote.WithDataPath("/files/", ""),
	} {
		_, err = remote.NewTransport(source, []string{"https://files.example.org"}, option)
		require.ErrorIs(t, err, want)
	}
	for _, option := range []remote.TransportOption{remote.WithBase(nil), remote.WithTransportClock(nil)} {
		_, err = remote.NewTransport(source, []string{"https://files.example.org"}, option)
		require.ErrorIs(t, err, errors.IDBadData)
	}
	for _, origin := range []string{"http://localhost:8080", "http://LOCALHOST", "http://127.1.2.3", "http://[::1]:8080", "https://192.0.2.1:8443", "HTTPS://files.example.org"} {
		_, err = remote.NewTransport(source, []string{origin})
		require.NoError(t, err, origin)
	}
}

func BenchmarkConfineEachRequest(b *testing.B) {
	h := macaroontest.New(b)
	path := writeToken(b, h.Token(caveat.REST, caveat.Until(macaroontest.Start)).String(), 0o600)
	for name, c := range map[string]struct {
		source  remote.Source
		options []remote.TransportOption
	}{
		"time":               {remote.StaticToken(h.Token()), nil},
		"time,readonly,path": {remote.StaticToken(h.Token()), []remote.TransportOption{remote.WithReadonly(), remote.WithDataPath("/files", "/space1")}},
		"time,file":          {remote.TokenFile(path), nil},
	} {
		b.Run(name, func(b *testing.B) {
			transport, err := remote.NewTransport(c.source, []string{"https://files.example.org"}, append(c.options, remote.WithBase(&discard{}))...)
			require.NoError(b, err)
			req, err := http.NewRequestWithContext(b.Context(), "GET", "https://files.example.org/files/a/b", nil)
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := transport.RoundTrip(req); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// discard is a base transport that answers at once.
type discard struct{ res http.Response }

func (d *discard) RoundTrip(*http.Request) (*http.Response, error) { return &d.res, nil }
