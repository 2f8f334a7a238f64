package macaroontest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// Server is a harness with its token API, served on the loopback interface.
type Server struct {
	*Harness
	URL string // of the API, such as "http://127.0.0.1:40123/api/v3/onezone"

	http *httptest.Server
}

// NewServer returns a new harness and serves its token API on a free port.
func NewServer(tb testing.TB, options ...rest.Option) *Server {
	tb.Helper()
	h := New(tb)
	return Serve(h, options...)
}

// Serve serves the token API of a harness on a free port.
func Serve(h *Harness, options ...rest.Option) *Server {
	h.tb.Helper()
	handler, err := rest.NewHandler(h.Authority, options...)
	h.must(err)
	s := httptest.NewUnstartedServer(handler)
	s.Config.MaxHeaderBytes = rest.MaxHeaderBytes
	s.Start()
	h.tb.Cleanup(s.Close)
	return &Server{Harness: h, URL: s.URL + rest.Prefix, http: s}
}

// Credentials add the client's credentials to a request. nil adds none.
type Credentials func(*http.Request)

func (c Credentials) add(r *http.Request) {
	if c != nil {
		c(r)
	}
}

// Anonymous returns empty credentials.
func Anonymous() Credentials { return func(*http.Request) {} }

// Basic returns credentials of the user name and [Password].
func Basic(username string) Credentials {
	return func(r *http.Request) { r.SetBasicAuth(username, Password) }
}

// Bearer returns the access token as credentials.
func Bearer(t macaroon.Token) Credentials { return BearerText(t.String()) }

// BearerText returns the text, sent as an access token, as credentials.
func BearerText(text string) Credentials {
	return func(r *http.Request) { r.Header.Set("X-Auth-Token", text) }
}

// From returns the credentials with a client address, for [Request]. ip, asn
// and geo caveats are compared with this address. It has no effect on real
// connections ([Server.Do]).
func From(client netip.Addr, credentials Credentials) Credentials {
	return func(r *http.Request) {
		r.RemoteAddr = netip.AddrPortFrom(client, 50000).String()
		credentials.add(r)
	}
}

// Response is an HTTP response with its whole body.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends a request over a real connection to a path of the API, such as
// "/tokens/examine". The body is encoded as JSON, except that a string or
// []byte is sent unchanged and nil is empty.
func (s *Server) Do(method, path string, body any, credentials Credentials) Response {
	s.tb.Helper()
	r, err := http.NewRequest(method, s.URL+path, bytes.NewReader(encode(s.tb, body)))
	s.must(err)
	r.Header.Set("Content-Type", "application/json")
	credentials.add(r)
	res, err := s.http.Client().Do(r)
	s.must(err)
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	s.must(err)
	return Response{res.StatusCode, res.Header, data}
}

func encode(tb testing.TB, body any) []byte {
	tb.Helper()
	switch body := body.(type) {
	case nil:
		return nil
	case string:
		return []byte(body)
	case []byte:
		return body
	}
	data, err := json.Marshal(body)
	if err != nil {
		tb.Fatalf("macaroontest: encoding a request: %v", err)
	}
	return data
}

// Get sends a GET request to a handler, without a network, and returns its
// answer. The client's address is 127.0.0.1.
func Get(tb testing.TB, handler http.Handler, path string, t macaroon.Token) Response {
	tb.Helper()
	return Request(tb, handler, http.MethodGet, path, nil, Bearer(t))
}

// Request sends a request to a handler, without a network, and returns its
// answer. The client's address is 127.0.0.1; use [From] for another one. The
// body is encoded as by [Server.Do].
func Request(tb testing.TB, handler http.Handler, method, path string, body any, credentials Credentials) Response {
	tb.Helper()
	r := httptest.NewRequest(method, path, bytes.NewReader(encode(tb, body))).WithContext(tb.Context())
	r.RemoteAddr = "127.0.0.1:50000"
	r.Header.Set("Content-Type", "application/json")
	credentials.add(r)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return Response{w.Code, w.Header(), w.Body.Bytes()}
}

// JSON decodes the body into v.
func (r Response) JSON(tb testing.TB, v any) {
	tb.Helper()
	if err := json.Unmarshal(r.Body, v); err != nil {
		tb.Fatalf("the answer %d is not JSON: %v", r.Status, err)
	}
}

// Err returns the error in the answer, or nil.
func (r Response) Err() error {
	var e errors.Envelope
	if json.Unmarshal(r.Body, &e) != nil || e.Error == nil {
		return nil
	}
	return e.Error
}
