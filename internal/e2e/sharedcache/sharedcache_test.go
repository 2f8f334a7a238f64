//go:build e2e

package sharedcache_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// uncached removes Cache-Control from the answers of a handler. The test uses
// it to show that Varnish does cache.
type uncached struct{ next http.Handler }

func (u uncached) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := httptest.NewRecorder()
	u.next.ServeHTTP(rec, r)
	rec.Header().Del("Cache-Control")
	for name, values := range rec.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(rec.Code)
	_, _ = w.Write(rec.Body.Bytes())
}

// site is a token service and an application handler behind the cache.
type site struct {
	*macaroontest.Harness
	t    *testing.T
	url  string // of Varnish
	host string
	// fetched counts the requests that Varnish passed on.
	fetched atomic.Int64
	handler http.Handler
}

func newSite(t *testing.T, host string, wrap func(http.Handler) http.Handler) *site {
	t.Helper()
	s := &site{Harness: macaroontest.New(t), t: t, host: host}
	api, err := rest.NewHandler(s.Authority)
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle(rest.Prefix+"/", api)
	mux.Handle("/own", rest.Authenticate(s.Authority)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client, _ := rest.ClientFrom(r.Context())
		_, _ = io.WriteString(w, "hello, "+client.Subject.String())
	})))
	wrapped := wrap(mux)
	s.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fetched.Add(1)
		wrapped.ServeHTTP(w, r)
	})
	return s
}

// do sends a request through Varnish.
func (s *site) do(method, path, body string, as macaroontest.Credentials) (status int, text string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	require.NoError(s.t, err)
	r.Host = s.host
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	as(r)
	res, err := http.DefaultClient.Do(r)
	require.NoError(s.t, err)
	data, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	require.NoError(s.t, res.Body.Close())
	return res.StatusCode, string(data)
}

func (s *site) get(path string, as macaroontest.Credentials) string {
	s.t.Helper()
	_, text := s.do("GET", path, "", as)
	return text
}

func (s *site) change(method, path, body string, as macaroontest.Credentials) {
	s.t.Helper()
	status, text := s.do(method, path, body, as)
	require.Less(s.t, status, 300, "%s %s: %s", method, path, text)
}

// wrongAnswers sends requests that a cache must not answer, and returns those
// that it does answer.
func (s *site) wrongAnswers() (wrong []string, asked int) {
	s.t.Helper()
	alices, bobs := s.Token(), s.TokenOf(s.Bob, s.Token().Type())
	alice, bob := macaroontest.Bearer(alices), macaroontest.Bearer(bobs)
	look := func(what string, right bool) {
		asked++
		if !right {
			wrong = append(wrong, what)
		}
	}
	api := rest.Prefix
	for _, path := range []string{api + "/user/tokens/named", api + "/user/client_tokens", api + "/user", "/own"} {
		theirs := s.get(path, alice)
		look("an answer to another user of "+path, s.get(path, bob) != theirs)
	}
	for _, path := range []string{api + "/user/tokens/temporary", "/own"} {
		path += "?of=nobody"
		theirs := s.get(path, alice)
		look("an answer to nobody of "+path, s.get(path, macaroontest.Anonymous()) != theirs)
	}
	one := api + "/tokens/named/" + alices.ID()
	for _, path := range []string{one, one + "/status"} {
		require.Contains(s.t, s.get(path, bob), "forbidden") // must not be cached
		require.Contains(s.t, s.get(path, alice), `"revoked":false`)
		look("an answer to another user of a token", strings.Contains(s.get(path, bob), "forbidden"))
	}
	// State that changes between two requests of one client.
	other := s.TokenOf(s.Alice, alices.Type())
	status := api + "/tokens/named/" + other.ID() + "/status"
	require.Contains(s.t, s.get(status, alice), `"revoked":false`)
	s.change("PATCH", strings.TrimSuffix(status, "/status"), `{"revoked":true}`, alice)
	look("a status from before a revocation", strings.Contains(s.get(status, alice), `"revoked":true`))

	before := s.get(api+"/user/tokens/temporary", alice)
	s.change("DELETE", api+"/user/tokens/temporary", "", alice)
	look("a generation from before a revocation", s.get(api+"/user/tokens/temporary", alice) != before)

	require.Contains(s.t, s.get(api+"/user/tokens/named/name/desk", alice), "notFound")
	s.change("POST", api+"/user/tokens/named", `{"name":"desk"}`, alice)
	look("a 404 from before a creation", strings.Contains(s.get(api+"/user/tokens/named/name/desk", alice), `"name":"desk"`))
	return wrong, asked
}

// A shared cache that respects HTTP headers never returns one client's answer
// to another, nor an answer from before a change. Without the header it does.
func TestSharedCacheKeepsClientsApart(t *testing.T) {
	strict := newSite(t, "strict.example.com", func(h http.Handler) http.Handler { return h })
	control := newSite(t, "control.example.com", func(h http.Handler) http.Handler { return uncached{h} })
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Host {
		case strict.host:
			strict.handler.ServeHTTP(w, r)
		case control.host:
			control.handler.ServeHTTP(w, r)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer backend.Close()
	strict.url = startVarnish(t, backend.URL)
	control.url = strict.url

	wrong, asked := control.wrongAnswers()
	fmt.Printf("sharedcache: without Cache-Control %d of %d answers were somebody else's or old\n", len(wrong), asked)
	require.Len(t, wrong, asked, "Varnish caches: %q", wrong)

	wrong, asked = strict.wrongAnswers()
	fmt.Printf("sharedcache: with Cache-Control %d of %d answers were somebody else's or old\n", len(wrong), asked)
	require.Empty(t, wrong)

	// Answers that are the same for all clients are cached.
	before := strict.fetched.Load()
	first := strict.get(rest.Prefix+"/openapi.json", macaroontest.Anonymous())
	require.Equal(t, first, strict.get(rest.Prefix+"/openapi.json", macaroontest.BearerText("nonsense")))
	require.EqualValues(t, 1, strict.fetched.Load()-before, "requests for the OpenAPI document that reached the service")
}
