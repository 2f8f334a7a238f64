package rest_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

// heldStore blocks calls for generations of temporary tokens while it is held,
// and fails lists after some pages.
type heldStore struct {
	store.Store
	held  chan struct{} // a call receives from it, if it is not nil
	inPut atomic.Int64  // calls that wait
	pages atomic.Int64  // pages before lists fail; below 0: no failure
}

func (h *heldStore) TemporaryKey(ctx context.Context, s caveat.Subject) (store.Key, error) {
	if h.held != nil {
		h.inPut.Add(1)
		<-h.held
	}
	return h.Store.TemporaryKey(ctx, s)
}

func (h *heldStore) ListTokenIDs(ctx context.Context, q store.Query) ([]string, store.Cursor, error) {
	if h.pages.Add(-1) == 0 {
		return nil, store.Cursor{}, errors.New("the database is gone")
	}
	return h.Store.ListTokenIDs(ctx, q)
}

func (h *heldStore) ListTokens(ctx context.Context, q store.Query) ([]store.Token, store.Cursor, error) {
	if h.pages.Add(-1) == 0 {
		return nil, store.Cursor{}, errors.New("the database is gone")
	}
	return h.Store.ListTokens(ctx, q)
}

// newHeld returns an authority over a held store, with named tokens of two users.
func newHeld(t *testing.T) (s *heldStore, a *macaroon.Authority, tokens map[string]string) {
	t.Helper()
	s = &heldStore{Store: memory.New()}
	a, err := macaroon.NewAuthority(s)
	require.NoError(t, err)
	tokens = map[string]string{}
	for _, id := range []string{"alice", "bob"} {
		_, err := a.CreateUser(t.Context(), macaroon.NewUser{ID: id, Username: id, Password: "password of " + id})
		require.NoError(t, err)
		token, err := a.IssueNamed(t.Context(), "first", macaroon.Grant{Subject: caveat.User(id), Type: macaroon.AccessToken()})
		require.NoError(t, err)
		tokens[id] = token.String()
	}
	return s, a, tokens
}

func get(t *testing.T, url, token string) (*http.Response, string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	if token != "" {
		r.Header.Set("X-Auth-Token", token)
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return res, string(body), err
}

func requireBusy(t *testing.T, res *http.Response, body string) {
	t.Helper()
	require.Equal(t, http.StatusTooManyRequests, res.StatusCode)
	require.Equal(t, "1", res.Header.Get("Retry-After"))
	require.Contains(t, body, `"temporaryFailure"`)
}

// A client at its limit does not block others, and is served again when one of
// its requests ends.
func TestOneClientCannotBlockOthers(t *testing.T) {
	t.Parallel()
	s, a, tokens := newHeld(t)
	s.held = make(chan struct{})
	h, err := rest.NewHandler(a, rest.WithMaxInFlight(2))
	require.NoError(t, err)
	server := httptest.NewServer(h)
	defer server.Close()
	defer close(s.held) // releases all calls if the test fails
	const slow, fast = rest.Prefix + "/user/tokens/temporary", rest.Prefix + "/user/client_tokens"

	statuses := make(chan int, 2)
	for range 2 {
		go func() {
			res, _, _ := get(t, server.URL+slow, tokens["alice"])
			statuses <- res.StatusCode
		}()
	}
	require.Eventually(t, func() bool { return s.inPut.Load() == 2 }, time.Minute, time.Millisecond)
	res, body, err := get(t, server.URL+fast, tokens["alice"])
	require.NoError(t, err)
	requireBusy(t, res, body)
	res, _, err = get(t, server.URL+fast, tokens["bob"])
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode)

	s.held <- struct{}{}
	require.Equal(t, http.StatusOK, <-statuses)
	require.Eventually(t, func() bool {
		res, _, err := get(t, server.URL+fast, tokens["alice"])
		return err == nil && res.StatusCode == http.StatusOK
	}, time.Minute, time.Millisecond)
	s.held <- struct{}{}
	require.Equal(t, http.StatusOK, <-statuses)
}

// Handlers behind the middleware may take long, so the limit is optional there.
func TestMiddlewareLimitsRequestsInFlightIfConfigured(t *testing.T) {
	t.Parallel()
	_, a, _ := newHeld(t)
	for _, limited := range []bool{false, true} {
		var options []rest.Option
		if limited {
			options = append(options, rest.WithMaxInFlight(1))
		}
		var inner func() *http.Response
		depth := 0
		h := rest.Authenticate(a, options...)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if depth++; depth == 1 {
				w.WriteHeader(inner().StatusCode)
			}
		}))
		inner = func() *http.Response {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
			return w.Result()
		}
		want := http.StatusOK
		if limited {
			want = http.StatusTooManyRequests
		}
		require.Equal(t, want, inner().StatusCode)
	}
}

// A body of unknown length is read in pieces; small bodies do not wait for
// memory.
func TestSmallBodiesOfUnknownLengthAreRead(t *testing.T) {
	t.Parallel()
	_, a, tokens := newHeld(t)
	h, err := rest.NewHandler(a)
	require.NoError(t, err)
	for _, size := range []int{0, 100, 16 << 10, 17 << 10, 1 << 20} {
		body := fmt.Sprintf(`{"token": %q, "ignored": "%s"}`, tokens["alice"], strings.Repeat("x", size))
		r := httptest.NewRequest(http.MethodPost, rest.Prefix+"/tokens/verify_access_token", io.MultiReader(strings.NewReader(body)))
		r.ContentLength = -1
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, http.StatusOK, w.Code, "%d: %s", size, w.Body)
	}
}

// A list of many pages is streamed, with the same text as a list of one page.
func TestLongListsAreStreamedWhole(t *testing.T) {
	t.Parallel()
	s, a, tokens := newHeld(t)
	var ids, texts []string
	add := func(name string, typ macaroon.Type) {
		token, err := a.IssueNamed(t.Context(), name, macaroon.Grant{Subject: caveat.User("alice"), Type: typ})
		require.NoError(t, err)
		ids = append(ids, token.ID())
		if typ == macaroon.AccessToken() {
			texts = append(texts, token.String())
		}
	}
	for i := range 2300 {
		typ := macaroon.AccessToken()
		if i > 50 && i < 400 { // whole pages of these
			typ = macaroon.IdentityToken()
		}
		add(fmt.Sprintf("token %04d", i), typ)
	}
	h, err := rest.NewHandler(a)
	require.NoError(t, err)
	server := httptest.NewServer(h)
	defer server.Close()
	for path, want := range map[string][]string{
		"/user/tokens/named":  ids,
		"/user/client_tokens": texts,
	} {
		res, body, err := get(t, server.URL+rest.Prefix+path, tokens["alice"])
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, res.StatusCode)
		require.Equal(t, "application/json", res.Header.Get("Content-Type"))
		require.EqualValues(t, -1, res.ContentLength, "the length is unknown")
		var list struct{ Tokens []string }
		require.NoError(t, json.Unmarshal([]byte(body), &list))
		require.Subset(t, list.Tokens, want)
		require.Len(t, list.Tokens, len(want)+1, "and the first")

		head, err := http.NewRequest(http.MethodHead, server.URL+rest.Prefix+path, nil)
		require.NoError(t, err)
		head.Header.Set("X-Auth-Token", tokens["alice"])
		res, err = http.DefaultClient.Do(head)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, http.StatusOK, res.StatusCode)
	}

	// If the store fails before the response begins, the error is answered;
	// later, the connection is aborted.
	for _, path := range []string{"/user/tokens/named", "/user/client_tokens"} {
		s.pages.Store(1)
		res, _, err := get(t, server.URL+rest.Prefix+path, tokens["alice"])
		require.NoError(t, err)
		require.Equal(t, http.StatusServiceUnavailable, res.StatusCode)
		s.pages.Store(map[string]int64{"/user/tokens/named": 2, "/user/client_tokens": 20}[path])
		_, body, err := get(t, server.URL+rest.Prefix+path, tokens["alice"])
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, path)
		require.False(t, json.Valid([]byte(body)))
		s.pages.Store(-1)
	}
}

func TestListsWithoutAccessTokensAreValidJSON(t *testing.T) {
	t.Parallel()
	_, a, _ := newHeld(t)
	_, err := a.CreateUser(t.Context(), macaroon.NewUser{ID: "carol", Username: "carol", Password: "password of carol"})
	require.NoError(t, err)
	for i := range 250 {
		_, err := a.IssueNamed(t.Context(), fmt.Sprintf("token %d", i), macaroon.Grant{Subject: caveat.User("carol"), Type: macaroon.IdentityToken()})
		require.NoError(t, err)
	}
	h, err := rest.NewHandler(a)
	require.NoError(t, err)
	r := httptest.NewRequest(http.MethodGet, rest.Prefix+"/user/client_tokens", nil)
	r.SetBasicAuth("carol", "password of carol")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.Equal(t, http.StatusOK, w.Code)
	require.JSONEq(t, `{"tokens":[]}`, w.Body.String())
}

// An Authorization header with a password is limited before it is decoded. A
// header that is too long does not count as a failed log-in.
func TestLongPasswordsAreRefusedBeforeDecoding(t *testing.T) {
	t.Parallel()
	_, a, _ := newHeld(t)
	longest := strings.Repeat("p", macaroon.MaxPassword)
	require.ErrorIs(t, a.SetPassword(t.Context(), caveat.User("alice"), longest+"p"), errors.IDBadValuePassword)
	require.NoError(t, a.SetPassword(t.Context(), caveat.User("alice"), longest))
	h, err := rest.NewHandler(a)
	require.NoError(t, err)
	logIn := func(credentials string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, rest.Prefix+"/user/client_tokens", nil)
		r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(credentials)))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	for range 3 * macaroon.DefaultFailures {
		w := logIn("alice:" + strings.Repeat("x", 1530))
		require.Equal(t, http.StatusUnauthorized, w.Code)
		require.Contains(t, w.Body.String(), "badBasicCredentials")
	}
	require.Equal(t, http.StatusOK, logIn("alice:"+longest).Code)
	require.Equal(t, http.StatusOK, logIn("alice:"+longest).Code)
}
