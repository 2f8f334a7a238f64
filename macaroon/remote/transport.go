package remote

import (
	"fmt"
	"net/http"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/operational"
	"github.com/onezone-go/onezone/internal/outgoing"
)

// DefaultLifetime is the default lifetime of the copies that a [Transport]
// sends.
const DefaultLifetime = time.Minute

// Transport is an [http.RoundTripper] that authenticates requests with a token.
// Each request carries a copy of its own, which expires after a minute, so a
// copy in a leaked log is soon worthless. The options confine the copies
// further.
//
//	transport, err := remote.NewTransport(remote.TokenFile("/run/secrets/token"),
//		[]string{"https://files.example.org"}, remote.WithReadonly())
//	client := &http.Client{Transport: transport}
//
// A token is sent only to the origins that the caller lists, and over HTTPS
// unless the host is a loopback address. These rules hold for the requests of
// an [http.Client]:
//
//   - A request to another origin is an error.
//   - A redirect to another origin (host, port or scheme) is followed without a
//     token, and so are the redirects after it, wherever they lead. To refuse
//     such redirects, set the client's CheckRedirect.
//   - A request is refused if it already has a header X-Auth-Token,
//     Authorization or Macaroon, if its Host differs from the host of its URL,
//     or if its URL is opaque. A redirect to another origin is also refused if
//     the caller has set X-Onedata-Service-Token or X-Onedata-Consumer-Token.
//
// To confine a copy takes about 5 microseconds, and to read a token file about
// 10 more. Copies with equal caveats differ once a second, so a service that
// caches verifications has one more to make each second.
//
// All errors of RoundTrip are operational. They are never errors of the
// catalogue, which would look like an answer of the service. Neither errors nor
// the Request of a response contain a token. A Transport may be used by several
// goroutines.
type Transport struct {
	source     Source
	origins    map[string]bool
	base       http.RoundTripper
	lifetime   time.Duration
	caveats    []caveat.Caveat
	caveatsFor []func(*http.Request) ([]caveat.Caveat, error)
	bearer     bool
	now        func() time.Time
}

// NewTransport returns a Transport that sends tokens of the source to the
// origins. An origin is a scheme, a host and, unless it is the default one, a
// port, such as "https://files.example.org".
//
// Errors: badData {key "source"} without a source, badData {key "origins"}
// without origins or for an origin that is malformed or not secure, and those
// of the options.
func NewTransport(source Source, origins []string, options ...TransportOption) (*Transport, error) {
	t := &Transport{
		source: source, origins: make(map[string]bool), base: http.DefaultTransport,
		lifetime: DefaultLifetime, now: time.Now,
	}
	switch {
	case source == nil:
		return nil, errors.BadDataHint("source", "a transport needs a source of tokens")
	case len(origins) == 0:
		return nil, errors.BadDataHint("origins", "list the origins to which tokens may be sent, such as https://files.example.org")
	}
	for _, text := range origins {
		origin, err := parseOrigin(text)
		if err != nil {
			return nil, err
		}
		t.origins[origin] = true
	}
	for _, option := range options {
		if err := option(t); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// RoundTrip sends a copy of the request with a token. It does not change the
// request, and closes its body also if it returns an error.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	out, err := t.prepare(req)
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	resp, err := t.base.RoundTrip(out)
	if resp != nil {
		resp.Request = req // the copy contains the token
	}
	return resp, err
}

// CloseIdleConnections closes the idle connections of the base transport, if it
// can. [http.Client.CloseIdleConnections] calls it.
func (t *Transport) CloseIdleConnections() {
	if base, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		base.CloseIdleConnections()
	}
}

// prepare returns the request to send: a copy with a token, or the request
// itself after a redirect to another origin.
func (t *Transport) prepare(req *http.Request) (*http.Request, error) {
	trusted, err := t.trusts(req)
	if err != nil {
		return nil, fmt.Errorf("send a token: %w", err)
	}
	if !trusted {
		return req, nil
	}
	text, err := t.confined(req)
	if err != nil {
		return nil, err
	}
	// A shallow copy, because the caller may set trailers while the body is read.
	out := req.WithContext(req.Context())
	out.Header = req.Header.Clone()
	if out.Header == nil {
		out.Header = make(http.Header)
	}
	if t.bearer {
		out.Header["Authorization"] = []string{"Bearer " + text}
	} else {
		out.Header["X-Auth-Token"] = []string{text}
	}
	return out, nil
}

// confined returns the text of a copy of the token for the request.
func (t *Transport) confined(req *http.Request) (string, error) {
	token, err := t.source(req.Context())
	if err != nil {
		return "", operational.Error("get the token to send", err)
	}
	cs := make([]caveat.Caveat, 0, len(t.caveats)+len(t.caveatsFor)+1)
	cs = append(cs, caveat.Until(t.now().Add(t.lifetime)))
	cs = append(cs, t.caveats...)
	for _, caveatsFor := range t.caveatsFor {
		more, err := caveatsFor(req)
		if err != nil {
			return "", operational.Error("confine the token to the request", err)
		}
		cs = append(cs, more...)
	}
	return outgoing.Text(token, cs...)
}
