package readme

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/remote"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/sqlite"
)

// embed serves the token API from the mux of an application. The caller must
// close the store.
func embed(ctx context.Context, mux *http.ServeMux, path string) (store.Store, error) {
	records, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err == nil {
		err = records.Migrate(ctx)
	}
	if err != nil {
		return nil, err
	}
	authority, err := macaroon.NewAuthority(records, macaroon.WithDomain("tokens.example.org"))
	if err != nil {
		return nil, err
	}
	_, err = authority.CreateUser(ctx, macaroon.NewUser{Username: "alice", Password: "a long passphrase"})
	if err != nil && !errors.Is(err, errors.IDBadValueIdentifierOccupied) { // alice exists since the first start
		return nil, err
	}
	handler, err := rest.NewHandler(authority)
	if err != nil {
		return nil, err
	}
	mux.Handle(rest.Prefix+"/", handler)
	return records, nil
}

func TestEmbedding(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tokens.db")
	records, err := embed(t.Context(), http.NewServeMux(), path)
	require.NoError(t, err)
	require.NoError(t, records.Close())
	mux := http.NewServeMux()
	records, err = embed(t.Context(), mux, path) // at the second start
	require.NoError(t, err)
	defer func() { require.NoError(t, records.Close()) }()
	server := httptest.NewServer(mux)
	defer server.Close()

	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+rest.Prefix+"/user/client_tokens", nil)
	require.NoError(t, err)
	request.SetBasicAuth("alice", "a long passphrase")
	response, err := server.Client().Do(request)
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.True(t, strings.HasPrefix(string(body), `{"token":"MDA`))
}

// protect puts authentication in front of handlers that do not handle tokens.
func protect(authority *macaroon.Authority, download, upload http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /files/{id}", rest.Require(caveat.OpWorker, caveat.Get, "file.{id}.content:private")(download))
	mux.Handle("PUT /files/{id}", rest.Require(caveat.OpWorker, caveat.Update, "file.{id}.content:private")(upload))
	// The authority needs macaroon.WithMemberships, which says whose tokens this service accepts.
	return rest.Authenticate(authority, rest.AsService(caveat.Service{Type: caveat.OpWorker, ID: "p1"}))(rest.RequireClient()(mux))
}

// greet is a handler behind the middleware.
var greet = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	client, _ := rest.ClientFrom(r.Context())
	_, _ = io.WriteString(w, client.Subject.String())
})

func TestMiddleware(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t, macaroon.WithMemberships(macaroontest.Everybody{}))
	handler := protect(h.Authority, greet, greet)
	reads := macaroontest.Bearer(h.Token(caveat.MustParse("api = opw/get/file.f1.*:*")))

	response := macaroontest.Request(t, handler, http.MethodGet, "/files/f1", nil, reads)
	macaroontest.AssertStatus(t, response, http.StatusOK)
	require.Equal(t, h.Alice.String(), string(response.Body))
	for _, path := range []string{"/files/f1", "/forgotten"} {
		response = macaroontest.Request(t, handler, http.MethodGet, path, nil, macaroontest.Anonymous())
		macaroontest.AssertError(t, response, errors.IDUnauthorized)
	}
	response = macaroontest.Request(t, handler, http.MethodPut, "/files/f1", nil, reads)
	macaroontest.AssertError(t, response, errors.IDTokenCaveatUnverified)
}

// protectByOnezone lets the users of an Onezone that somebody else runs in.
func protectByOnezone(url string, files http.Handler) (http.Handler, error) {
	onezone, err := remote.New(url) // such as "https://onezone.example.org"
	if err != nil {
		return nil, err
	}
	authenticate := rest.Authenticate(onezone, rest.AcceptIdentityTokens())
	return authenticate(rest.RequireClient()(files)), nil
}

func TestProtectingByARemoteOnezone(t *testing.T) {
	t.Parallel()
	onezone := macaroontest.NewRemote(t)
	handler, err := protectByOnezone(onezone.Origin, files)
	require.NoError(t, err)
	res := macaroontest.Get(t, handler, "/files/1", onezone.TokenOf(onezone.Alice, macaroon.IdentityToken()))
	macaroontest.AssertStatus(t, res, http.StatusOK)
	res = macaroontest.Get(t, handler, "/files/1", onezone.Token())
	macaroontest.AssertError(t, res, errors.IDUnauthorized)
	res = macaroontest.Request(t, handler, http.MethodGet, "/files/1", nil, macaroontest.Anonymous())
	macaroontest.AssertError(t, res, errors.IDUnauthorized)
	_, err = protectByOnezone("http://onezone.example.org", files)
	require.ErrorIs(t, err, errors.IDBadData)
}

// files is the handler under test.
var files = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })

func TestFilesNeedAGoodToken(t *testing.T) {
	h := macaroontest.New(t)
	handler := rest.Authenticate(h.Authority)(rest.RequireClient()(files))

	res := macaroontest.Get(t, handler, "/files/1", h.Token(caveat.REST))
	macaroontest.AssertStatus(t, res, http.StatusOK)
	res = macaroontest.Request(t, handler, http.MethodGet, "/files/1", nil, macaroontest.Anonymous())
	macaroontest.AssertError(t, res, errors.IDUnauthorized)
	res = macaroontest.Get(t, handler, "/files/1", h.Revoked())
	macaroontest.AssertError(t, res, errors.IDTokenRevoked)
}

func TestAnOnezoneThatIsDownDoesNotMakeTokensBad(t *testing.T) {
	onezone := macaroontest.NewRemote(t)
	handler, err := protectByOnezone(onezone.Origin, files)
	require.NoError(t, err)
	token := onezone.TokenOf(onezone.Alice, macaroon.IdentityToken())

	onezone.Behave(macaroontest.Unavailable())
	res := macaroontest.Get(t, handler, "/files/1", token)
	macaroontest.AssertError(t, res, errors.IDServiceUnavailable)
	onezone.Behave() // works again
	res = macaroontest.Get(t, handler, "/files/1", token)
	macaroontest.AssertStatus(t, res, http.StatusOK)
}
