//go:build e2e

package page_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/oidc"
	"github.com/onezone-go/onezone/macaroon/page"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store/memory"
)

// startIssuer starts an OpenID Connect issuer that logs Alice in without a
// question. After refuse is set it sends everybody back.
func startIssuer(t *testing.T, refuse *atomic.Bool) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	require.NoError(t, err)
	var asked atomic.Value // the query of the last log-in
	asked.Store(url.Values{})
	reply := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]any{"issuer": server.URL, "jwks_uri": server.URL + "/keys", "authorization_endpoint": server.URL + "/log-in", "token_endpoint": server.URL + "/token"})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), Use: "sig"}}})
	})
	mux.HandleFunc("GET /log-in", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		asked.Store(q)
		answer := url.Values{"state": q["state"], "code": {"c0de"}}
		if refuse.Load() {
			answer = url.Values{"state": q["state"], "error": {"access_denied"}}
		}
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+answer.Encode(), http.StatusFound)
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		q := asked.Load().(url.Values)
		sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
		if r.PostFormValue("code") != "c0de" || base64.RawURLEncoding.EncodeToString(sum[:]) != q.Get("code_challenge") {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		claims, _ := json.Marshal(map[string]any{
			"iss": server.URL, "sub": "alice", "aud": "page", "exp": time.Now().Add(time.Hour).Unix(), "nonce": q.Get("nonce"), "name": "Alice of the IdP",
		})
		signed, err := signer.Sign(claims)
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		text, _ := signed.CompactSerialize()
		reply(w, map[string]any{"access_token": "opaque", "token_type": "Bearer", "id_token": text})
	})
	return server.URL
}

// A user of an identity provider logs in below a path prefix, works, and leaves no
// token in the address or in the storage of the browser.
func TestLogInByIdentityProvider(t *testing.T) {
	t.Parallel()
	installed(t, "chromium", "chromium")
	var refuse atomic.Bool
	issuer := startIssuer(t, &refuse)
	authority, err := macaroon.NewAuthority(memory.New())
	require.NoError(t, err)
	provider, err := oidc.New(authority, oidc.Options{Issuer: issuer, Prefix: "idp:", Audiences: []string{"page"}, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	api, err := rest.NewHandler(authority)
	require.NoError(t, err)
	tokens, err := page.New(authority, page.Options{WithoutPasswords: true, IdentityProvider: &page.IdentityProvider{Name: "Example", Path: oidc.StartPath}})
	require.NoError(t, err)
	mux := http.NewServeMux()
	server := httptest.NewServer(http.StripPrefix("/tokens", mux))
	t.Cleanup(server.Close)
	logIn, err := provider.LogIn(oidc.LogInOptions{ClientID: "page", RedirectURL: server.URL + "/tokens/" + oidc.CallbackPath})
	require.NoError(t, err)
	mux.Handle("/", tokens)
	mux.Handle("/"+oidc.StartPath, logIn)
	mux.Handle("/"+oidc.CallbackPath, logIn)
	mux.Handle(rest.Prefix+"/", api)

	b := newTab(t, server.URL+"/tokens/", desktop)
	b.expect("request: " + issuer + "/log-in") // where the user goes
	b.sees("Log in with Example")
	b.lacks("Password")
	b.accessible()
	b.shoot("login")
	refuse.Store(true)
	b.click("button", "Log in with Example")
	b.sees("The identity provider did not log you in.")
	refuse.Store(false)
	b.click("button", "Log in with Example")
	b.sees("Alice of the IdP")
	b.sees("You have no tokens yet.")
	require.Equal(t, server.URL+"/tokens/", evaluate[string](b, `location.href`))
	require.Zero(t, evaluate[int](b, `localStorage.length + sessionStorage.length + document.cookie.length`))
	b.goTo("create/onezone-rest")
	b.click("button", "Create")
	b.sees("Its text is shown only now.")
	text := b.value("Text of the token")
	auth, err := authority.VerifyAccess(t.Context(), text, caveat.Request{Interface: caveat.REST})
	require.NoError(t, err)
	require.Equal(t, caveat.User(oidc.UserID(issuer, "alice")), auth.Subject)
}
