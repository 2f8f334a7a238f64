package remote_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/remote"
)

func TestRequestsToOtherOriginsAreRefused(t *testing.T) {
	t.Parallel()
	base := &recorder{}
	transport, err := remote.NewTransport(remote.StaticToken(macaroontest.New(t).Token()),
		[]string{"https://files.example.org", "https://FILES.example.org:8443", "http://[::1]:8080"}, remote.WithBase(base))
	require.NoError(t, err)
	for url, allowed := range map[string]bool{
		"https://files.example.org/a":              true,
		"https://files.example.org:443/a":          true,
		"https://files.example.org:/a":             true,
		"HTTPS://Files.Example.ORG/a":              true,
		"https://files.example.org:8443/a":         true,
		"http://[::1]:8080":                        true,
		"http://files.example.org/a":               false,
		"http://files.example.org:443/a":           false,
		"https://files.example.org:444/a":          false,
		"https://files.example.org.evil.test/a":    false,
		"https://evil.test/files.example.org":      false,
		"https://files.example.org@evil.test/a":    false,
		"https://evil.test#@files.example.org/a":   false,
		"https://files.example.org./a":             false,
		"https://sub.files.example.org/a":          false,
		"http://127.0.0.1:8080":                    false,
		"http://[::1%25lo]:8080":                   false,
		"https://files.example.org%2eevil.test/a":  false,
		"https://files.example.org%00.evil.test/a": false,
	} {
		base.requests = nil
		req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
		if err != nil {
			require.False(t, allowed, url)
			continue
		}
		_, err = transport.RoundTrip(req)
		if allowed {
			require.NoError(t, err, url)
			require.Len(t, base.requests, 1, url)
			continue
		}
		require.ErrorContains(t, err, "not one of the origins", url)
		require.Empty(t, base.requests, url)
	}
}

// The default transport sends requests to LOCALHOST, but not to localhost,
// through the proxy of the environment, without encryption.
func TestNoTokenIsSentToLocalhostThroughAProxy(t *testing.T) {
	t.Parallel()
	base := &recorder{}
	transport, err := remote.NewTransport(remote.StaticToken(macaroontest.New(t).Token()), []string{"http://localhost:8080"}, remote.WithBase(base))
	require.NoError(t, err)
	client := &http.Client{Transport: transport}
	for _, url := range []string{"http://LOCALHOST:8080/a", "HTTP://Localhost:8080/a"} {
		_, err = client.Get(url)
		require.ErrorContains(t, err, "lower case", url)
		require.Empty(t, base.requests, url)
	}
	_, err = client.Get("HTTP://localhost:8080/a")
	require.NoError(t, err)
}

// recorder is a base transport that only records the requests.
type recorder struct {
	requests []*http.Request
	err      error
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.requests = append(r.requests, req)
	if req.Body != nil {
		_ = req.Body.Close()
	}
	if r.err != nil {
		return nil, r.err
	}
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: req}, nil
}

func TestRedirectsToOtherOriginsCarryNoToken(t *testing.T) {
	t.Parallel()
	token := macaroontest.New(t).Token()
	for name, c := range map[string]struct {
		from, to  func(http.Handler) *httptest.Server
		otherHost bool
	}{
		"to another port":             {from: httptest.NewServer, to: httptest.NewServer},
		"to another port of TLS":      {from: httptest.NewTLSServer, to: httptest.NewTLSServer},
		"to another host":             {from: httptest.NewServer, to: httptest.NewServer, otherHost: true},
		"to another scheme":           {from: httptest.NewServer, to: httptest.NewTLSServer},
		"from https down to http":     {from: httptest.NewTLSServer, to: httptest.NewServer},
		"from https to another's TLS": {from: httptest.NewTLSServer, to: httptest.NewTLSServer, otherHost: true},
	} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			t.Run(fmt.Sprint(name, " by ", status), func(t *testing.T) {
				t.Parallel()
				other := newService(t, c.to, nil)
				target := other.URL
				if c.otherHost {
					target = strings.Replace(target, "127.0.0.1", "localhost", 1)
				}
				s := newService(t, c.from, func(w http.ResponseWriter, r *http.Request) {
					http.Redirect(w, r, target+"/elsewhere", status)
				})
				base := newTLSBase(t)
				base.TLSClientConfig.ServerName = "example.com" // in the certificate of httptest
				client := newClient(t, token, []string{s.URL}, remote.WithBase(base))
				res, err := client.Post(s.URL+"/a", "text/plain", strings.NewReader("content"))
				require.NoError(t, err)
				require.NoError(t, res.Body.Close())

				require.Len(t, credentials(s.last(t)), 1)
				require.Equal(t, "/elsewhere", other.last(t).URL.Path, "the redirect was followed")
				require.Empty(t, credentials(other.last(t)))
				for r := res.Request; ; r = r.Response.Request {
					require.Empty(t, credentials(r), "the caller sees no token")
					if r.Response == nil {
						break
					}
				}
			})
		}
	}
}

// Another origin that redirects back chooses the URL, so no token goes there.
func TestNoTokenAfterARedirectThroughAnotherOrigin(t *testing.T) {
	t.Parallel()
	var home *service
	other := newService(t, httptest.NewServer, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, home.URL+"/chosen", http.StatusTemporaryRedirect)
	})
	home = newService(t, httptest.NewServer, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/start":
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		case "/chosen":
			http.Redirect(w, r, "/again", http.StatusTemporaryRedirect)
		}
	})
	client := newClient(t, macaroontest.New(t).Token(), []string{home.URL})
	get(t, client, home.URL+"/start")
	require.Equal(t, "/again", home.last(t).URL.Path)
	require.Equal(t, 3, home.count())
	require.Len(t, credentials(home.requests[0]), 1)
	require.Empty(t, credentials(home.requests[1]), "the other origin chose it")
	require.Empty(t, credentials(home.requests[2]))
	require.Empty(t, credentials(other.last(t)))
}

func TestRedirectsBetweenListedOriginsGetCopiesOfTheirOwn(t *testing.T) {
	t.Parallel()
	second := newService(t, httptest.NewServer, nil)
	first := newService(t, httptest.NewServer, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, second.URL+"/files/space1/b", http.StatusFound)
	})
	client := newClient(t, macaroontest.New(t).Token(), []string{first.URL, second.URL}, remote.WithDataPath("/files", ""))
	get(t, client, first.URL+"/files/space1/a")
	for s, path := range map[*service]string{first: "/space1/a", second: "/space1/b"} {
		require.Equal(t, []string{"time < 1727784060", caveat.DataPath{path}.String()}, received(t, s.last(t), "X-Auth-Token").Caveats())
	}
}

// http.Client copies the headers of the first request to those after redirects:
// X-Auth-Token even to another host.
func TestRequestsWithACredentialOfTheCallerAreRefused(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	s := newService(t, httptest.NewServer, nil)
	client := newClient(t, h.Token(), []string{s.URL})
	for _, header := range []string{"X-Auth-Token", "Authorization", "Macaroon"} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", s.URL, nil)
		require.NoError(t, err)
		req.Header.Set(header, h.Token().String())
		_, err = client.Do(req)
		require.ErrorContains(t, err, "already has the header "+header)
		requireNoToken(t, err, h.Token(), req.Header.Get(header))

		lower := req.Clone(t.Context())
		lower.Header = http.Header{strings.ToLower(header): req.Header[header]}
		_, err = client.Do(lower)
		require.ErrorContains(t, err, "already has the header "+header, "net/http sends it as it is spelled")

		// In front of a redirect to another origin.
		redirected := req.Clone(t.Context())
		redirected.URL.Host = "files.example.org"
		redirected.Response = &http.Response{Request: req}
		_, err = client.Transport.RoundTrip(redirected)
		require.ErrorContains(t, err, "already has the header "+header)
	}
	user := strings.Replace(s.URL, "http://", "http://alice:secret@", 1)
	_, err := client.Get(user)
	require.ErrorContains(t, err, "already has the header Authorization", "net/http makes it of the user in the URL")
	require.NotContains(t, err.Error(), "secret")
	require.Zero(t, s.count())
}

func TestRedirectsToOtherOriginsCarryNoPartyTokens(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	other := newService(t, httptest.NewServer, nil)
	s := newService(t, httptest.NewServer, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusFound)
	})
	client := newClient(t, h.Token(), []string{s.URL})
	for _, header := range []string{"X-Onedata-Service-Token", "X-Onedata-Consumer-Token"} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", s.URL, nil)
		require.NoError(t, err)
		req.Header.Set(header, h.Token().String())
		_, err = client.Do(req)
		require.ErrorContains(t, err, "must not receive the header "+header)
		requireNoToken(t, err, h.Token(), req.Header.Get(header))
		require.Equal(t, req.Header.Get(header), s.last(t).Header.Get(header), "the listed origin receives it")
	}
	require.Zero(t, other.count())
}

// requireNoToken asserts that an error does not contain the text of a token,
// not even its signature.
func requireNoToken(t *testing.T, err error, token macaroon.Token, more ...string) {
	t.Helper()
	for _, verb := range []string{"%v", "%+v", "%#v", "%q"} {
		shown := fmt.Sprintf(verb, err)
		for _, text := range append(more, token.String()) {
			require.NotContains(t, shown, text[len(text)-40:])
		}
	}
}

func TestHostHeaderOfAnotherHostIsRefused(t *testing.T) {
	t.Parallel()
	s := newService(t, httptest.NewServer, nil)
	client := newClient(t, macaroontest.New(t).Token(), []string{s.URL})
	req, err := http.NewRequestWithContext(t.Context(), "GET", s.URL, nil)
	require.NoError(t, err)
	req.Host = "other.example.org"
	_, err = client.Do(req)
	require.ErrorContains(t, err, `"other.example.org", differs`)
	require.Zero(t, s.count())

	req.Host = strings.ToUpper(req.URL.Host)
	res, err := client.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
}

func TestOpaqueURLIsRefused(t *testing.T) {
	t.Parallel()
	s := newService(t, httptest.NewServer, nil)
	client := newClient(t, macaroontest.New(t).Token(), []string{s.URL}, remote.WithDataPath("/files", ""))
	for _, opaque := range []string{"//other.example.org/files/space1/secret", "/files/space1/secret"} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+"/files/space1/a", nil)
		require.NoError(t, err)
		req.URL.Opaque = opaque
		_, err = client.Do(req)
		require.ErrorContains(t, err, "opaque")
	}
	require.Zero(t, s.count())
}
