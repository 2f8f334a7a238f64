package oidc_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/oidc"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

// must returns v: the tests' keys can always be made.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Keys of issuers and of attackers.
var (
	rsaKey   = must(rsa.GenerateKey(rand.Reader, 2048))
	otherRSA = must(rsa.GenerateKey(rand.Reader, 2048))
	ecKey    = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	_, edKey = mustEd25519()
)

func mustEd25519() (ed25519.PublicKey, ed25519.PrivateKey) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	return public, must(private, err)
}

// testIssuer is an OpenID Connect provider.
type testIssuer struct {
	*httptest.Server
	mu       sync.Mutex
	keys     []jose.JSONWebKey
	userinfo map[string]map[string]any   // claims by token
	instead  map[string]http.HandlerFunc // answers by path
	hits     map[string]int              // requests by path
}

const (
	discoveryPath = "/.well-known/openid-configuration"
	keysPath      = "/keys"
	userinfoPath  = "/userinfo"
	authorizePath = "/authorize"
	tokenPath     = "/token"
)

func newTestIssuer(t testing.TB) *testIssuer {
	i := startIssuer()
	t.Cleanup(i.Close)
	return i
}

func startIssuer() *testIssuer {
	i := &testIssuer{userinfo: map[string]map[string]any{}, instead: map[string]http.HandlerFunc{}, hits: map[string]int{}}
	i.Server = httptest.NewUnstartedServer(i)
	i.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that do not trust the certificate are a test
	i.StartTLS()
	i.setKeys(public("rsa", rsaKey), public("ec", ecKey), public("ed", edKey))
	return i
}

// public returns the entry of a key set for a private key.
func public(id string, key crypto.Signer) jose.JSONWebKey {
	return jose.JSONWebKey{KeyID: id, Key: key.Public(), Use: "sig"}
}

func (i *testIssuer) setKeys(keys ...jose.JSONWebKey) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = keys
}

func (i *testIssuer) setUserinfo(token string, claims map[string]any) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.userinfo[token] = claims
}

// answer sets what a path answers, nil for what is right.
func (i *testIssuer) answer(path string, h http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.instead[path] = h
}

func (i *testIssuer) requests(path string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.hits[path]
}

// ServeHTTP implements [http.Handler].
func (i *testIssuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	i.hits[r.URL.Path]++
	instead := i.instead[r.URL.Path]
	i.mu.Unlock()
	if instead != nil {
		instead(w, r)
		return
	}
	i.serve(w, r)
}

// serve answers what is right.
func (i *testIssuer) serve(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	keys := i.keys
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	claims, known := i.userinfo[token]
	i.mu.Unlock()
	switch {
	case r.URL.Path == discoveryPath:
		reply(w, map[string]any{
			"issuer": i.URL, "jwks_uri": i.URL + keysPath, "userinfo_endpoint": i.URL + userinfoPath,
			"authorization_endpoint": i.URL + authorizePath, "token_endpoint": i.URL + tokenPath,
		})
	case r.URL.Path == keysPath:
		reply(w, jose.JSONWebKeySet{Keys: keys})
	case r.URL.Path == userinfoPath && known:
		reply(w, claims)
	case r.URL.Path == userinfoPath:
		w.WriteHeader(http.StatusUnauthorized)
	default:
		http.NotFound(w, r)
	}
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func text(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// fixture is a provider over a test issuer, with the users of a memory store.
type fixture struct {
	*oidc.Provider
	issuer    *testIssuer
	authority *macaroon.Authority
	records   store.Store
	clock     *macaroontest.Clock
	log       *syncbuffer.Buffer
}

const audience = "https://onezone.example.org"

func newFixture(t testing.TB, change ...func(*oidc.Options)) *fixture {
	t.Helper()
	return newFixtureOver(t, memory.New(), change...)
}

func newFixtureOver(t testing.TB, records store.Store, change ...func(*oidc.Options)) *fixture {
	t.Helper()
	f := &fixture{
		issuer: newTestIssuer(t), records: records, log: new(syncbuffer.Buffer), clock: new(macaroontest.Clock),
	}
	f.clock.Set(time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC))
	var err error
	f.authority, err = macaroon.NewAuthority(f.records, macaroon.WithClock(f.clock.Now))
	require.NoError(t, err)
	f.Provider = f.provider(t, change...)
	return f
}

// provider returns one more provider, with changed options.
func (f *fixture) provider(t testing.TB, change ...func(*oidc.Options)) *oidc.Provider {
	t.Helper()
	o := oidc.Options{
		Issuer: f.issuer.URL, Prefix: "egi:", Audiences: []string{audience},
		Transport: f.issuer.Client().Transport, Now: f.clock.Now,
		Logger: slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, c := range change {
		c(&o)
	}
	p, err := oidc.New(f.authority, o)
	require.NoError(t, err)
	return p
}

func anyAudience(o *oidc.Options) { o.Audiences, o.AnyAudience = nil, true }

// claims returns the claims of a good token with changes; nil removes a claim.
func (f *fixture) claims(changes map[string]any) map[string]any {
	now := f.clock.Now().Unix()
	c := map[string]any{
		"iss": f.issuer.URL, "sub": "alice@egi.eu", "aud": audience, "exp": now + 300, "iat": now, "nbf": now,
		"name": "Alice Example", "jti": "1",
	}
	for name, value := range changes {
		if value == nil {
			delete(c, name)
		} else {
			c[name] = value
		}
	}
	return c
}

// good returns a good token, signed with RS256.
func (f *fixture) good(changes map[string]any) string {
	return signed(jose.RS256, rsaKey, header{"kid": "rsa", "typ": "at+jwt"}, f.claims(changes))
}

type header = map[jose.HeaderKey]any

// signed returns a JWT with its prefix.
func signed(alg jose.SignatureAlgorithm, key any, h header, claims any) string {
	payload, ok := claims.([]byte)
	if !ok {
		payload = must(json.Marshal(claims))
	}
	signer := must(jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, &jose.SignerOptions{ExtraHeaders: h}))
	return "egi:" + must(must(signer.Sign(payload)).CompactSerialize())
}

// requireRefused asserts that the token is refused, in the way the specification
// says, and that nothing of it is in the log.
func (f *fixture) requireRefused(t testing.TB, token string) {
	t.Helper()
	_, err := f.Identify(t.Context(), token)
	require.Equal(t, errors.BadIdpAccessToken("egi"), err)
	requireNoPart(t, token, f.log.String())
}

// requireOperational asserts that the token is neither accepted nor refused.
func (f *fixture) requireOperational(t testing.TB, token, want string) {
	t.Helper()
	_, err := f.Identify(t.Context(), token)
	require.ErrorContains(t, err, want)
	require.False(t, errors.As(err, new(*errors.Error)), "%v", err)
	requireNoPart(t, token, err.Error()+f.log.String())
}

// requireNoPart asserts that no longer part of a token is in a text.
func requireNoPart(t testing.TB, token, text string) {
	t.Helper()
	token = strings.TrimPrefix(token, "egi:")
	for at := 0; at+12 <= len(token); at += 4 {
		require.NotContains(t, text, token[at:at+12])
	}
}

// users returns the ids of all users.
func (f *fixture) users(t testing.TB) (ids []string) {
	t.Helper()
	for u, err := range f.authority.Users(t.Context()) {
		require.NoError(t, err)
		ids = append(ids, u.Subject.ID)
	}
	return ids
}

func large(size int) []byte { return bytes.Repeat([]byte(" "), size) }
