package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// issuer is an OpenID Connect issuer with one key.
type issuer struct {
	*httptest.Server
	key     *ecdsa.PrivateKey
	idToken atomic.Value // what the token endpoint gives to the client "page" with the secret "s3cret"
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	i := &issuer{key: key}
	point, err := key.PublicKey.Bytes() // a byte, and the coordinates of 32 bytes
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": i.URL, "jwks_uri": i.URL + "/keys", "authorization_endpoint": i.URL + "/authorize", "token_endpoint": i.URL + "/token",
		})
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		if id, secret, _ := r.BasicAuth(); id != "page" || secret != "s3cret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": i.idToken.Load()})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]any{
			"kty": "EC", "crv": "P-256", "kid": "1", "x": base64.RawURLEncoding.EncodeToString(point[1:33]), "y": base64.RawURLEncoding.EncodeToString(point[33:]),
		}}})
	})
	i.Server = httptest.NewUnstartedServer(mux)
	i.Start()
	t.Cleanup(i.Close)
	return i
}

// token returns a token with changed claims, for the service onezone.
func (i *issuer) token(t *testing.T, changes map[string]any) string {
	t.Helper()
	claims := map[string]any{
		"iss": i.URL, "sub": "1234", "aud": "onezone", "exp": time.Now().Add(time.Hour).Unix(),
		"name": "Alice Example", "preferred_username": "alice", "groups": []string{"staff"},
	}
	for name, value := range changes {
		claims[name] = value
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","kid":"1"}`)) + "." +
		base64.RawURLEncoding.EncodeToString([]byte(encoded(t, claims)))
	digest := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, i.key, digest[:])
	require.NoError(t, err)
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return "egi:" + text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// A user of an identity provider logs in, gets a token of this service, and is
// blocked.
func TestLogInThroughAnIdentityProvider(t *testing.T) {
	t.Parallel()
	i, dir := newIssuer(t), t.TempDir()
	s := start(t, dir, "--oidc-issuer", i.URL, "--oidc-prefix", "egi:", "--oidc-audience", "other", "--oidc-audience", "onezone",
		"--oidc-groups-claim", "groups", "--oidc-allowed-group", "staff", "--oidc-username-claim", "preferred_username")
	require.Contains(t, s.do("GET", "/configuration", "").body, `,{"id":"egi","offlineAccess":false}]`)

	token := i.token(t, nil)
	a := s.do("GET", "/user", "", "X-Auth-Token", token)
	require.Equal(t, 200, a.status, a.body)
	id := field(t, a.body, "userId")
	require.Equal(t, "alice", field(t, a.body, "username"))
	a = s.do("POST", "/user/tokens/named", encoded(t, map[string]any{"name": "laptop"}), "X-Auth-Token", token)
	require.Equal(t, 201, a.status, a.body)
	require.Contains(t, s.verify(field(t, a.body, "token"), "127.0.0.1").body, id)

	refused := func(token, want string) {
		t.Helper()
		a := s.do("GET", "/user", "", "X-Auth-Token", token)
		require.Equal(t, 401, a.status, a.body)
		require.Contains(t, a.body, `"authError":{"id":"`+want+`"`)
	}
	refused(i.token(t, map[string]any{"exp": time.Now().Unix()}), "badIdpAccessToken")
	refused(i.token(t, map[string]any{"aud": "https://files.example.org"}), "badIdpAccessToken")
	refused(i.token(t, map[string]any{"groups": "guests"}), "badIdpAccessToken")
	refused(newIssuer(t).token(t, map[string]any{"iss": i.URL}), "badIdpAccessToken")
	refused(strings.TrimPrefix(token, "egi:"), "badToken")

	_, err := order(t, dir+"/data/onezone.db", "", "user", "block", "alice")
	require.NoError(t, err)
	eventually(t, func() bool { return s.do("GET", "/user", "", "X-Auth-Token", token).status == 401 }, "the user is blocked")
	refused(token, "userBlocked")
	s.stop()
	for part := range strings.SplitSeq(token, ".") {
		require.NotContains(t, s.log.String(), strings.TrimPrefix(part, "egi:"))
	}
}

// A user of an identity provider logs in on the page.
func TestLogInOnThePageThroughAnIdentityProvider(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte("s3cret\n"), 0o600))
	s, end := inProcess(t, "--store", "memory:", "--oidc-issuer", i.URL, "--oidc-prefix", "egi:", "--oidc-audience", "page",
		"--oidc-client-id", "page", "--oidc-client-secret-file", secret)
	defer end()
	require.Contains(t, s.ask(s.url, "GET", "/page/settings.json", "").body, `"identityProvider":{"name":"egi","path":"page/idp/start"}`)

	s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	nonce := strings.Repeat("0123", 8)
	a := s.ask(s.url, "GET", "/page/idp/start?nonce="+nonce, "")
	require.Equal(t, 303, a.status)
	to, err := url.Parse(a.header.Get("Location"))
	require.NoError(t, err)
	require.Equal(t, s.url+"/page/idp/callback", to.Query().Get("redirect_uri"))
	i.idToken.Store(strings.TrimPrefix(i.token(t, map[string]any{"aud": "page", "nonce": to.Query().Get("nonce")}), "egi:"))
	cookie, _, _ := strings.Cut(a.header.Get("Set-Cookie"), ";")
	a = s.ask(s.url, "GET", "/page/idp/callback?code=x&state="+to.Query().Get("state"), "", "Cookie", cookie)
	fragment, ok := strings.CutPrefix(a.header.Get("Location"), "../../#")
	require.True(t, ok)
	given, err := url.ParseQuery(fragment)
	require.NoError(t, err)
	require.Equal(t, nonce, given.Get("nonce"), fragment)
	a = s.ask(s.url, "POST", "/page/log_in", "", "X-Auth-Token", given.Get("log-in"))
	require.Equal(t, 200, a.status, a.body)
	a = s.do("GET", "/user", "", "X-Auth-Token", field(t, a.body, "token"))
	require.Equal(t, "Alice Example", field(t, a.body, "fullName"))
}

// The service starts and works while the issuer is down.
func TestTheIdentityProviderIsDown(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	i.Close()
	s := start(t, t.TempDir(), "--store", "memory:", "--oidc-issuer", i.URL, "--oidc-prefix", "egi:", "--oidc-any-audience")
	require.True(t, s.hasLogged("the keys of an identity provider could not be fetched", "connection refused"))
	a := s.do("GET", "/user", "", "X-Auth-Token", i.token(t, nil))
	require.Equal(t, 401, a.status)
	require.Contains(t, a.body, `"authError":{"id":"internalServerError"`)
	require.Equal(t, 200, s.verify(s.token, "127.0.0.1").status)
	s.stop()
}
