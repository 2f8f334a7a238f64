package oidc_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/macaroon/oidc"
)

const opaque = "egi:opaque-0123456789abcdef"

func newOpaque(t testing.TB, change ...func(*oidc.Options)) *fixture {
	f := newFixture(t, append([]func(*oidc.Options){anyAudience}, change...)...)
	f.issuer.setUserinfo(opaque[4:], map[string]any{"sub": "alice@egi.eu", "name": "Alice Example"})
	return f
}

// The userinfo endpoint is asked once in thirty seconds, after which a revoked
// token is refused.
func TestOpaqueTokens(t *testing.T) {
	f := newOpaque(t)
	for range 3 {
		user, err := f.Identify(t.Context(), opaque)
		require.NoError(t, err)
		require.Equal(t, oidc.UserID(f.issuer.URL, "alice@egi.eu"), user.ID)
	}
	require.Equal(t, 1, f.issuer.requests(userinfoPath))
	f.issuer.setUserinfo(opaque[4:], nil)
	f.issuer.answer(userinfoPath, text(http.StatusUnauthorized, "revoked"))
	f.clock.Advance(30*time.Second - time.Nanosecond)
	f.requireAccepted(t, opaque)
	f.clock.Advance(time.Nanosecond)
	f.requireRefused(t, opaque)
}

// Encrypted JWTs are opaque for everybody but the issuer.
func TestEncryptedTokens(t *testing.T) {
	f := newOpaque(t)
	token := unsigned(map[string]any{"alg": "dir", "enc": "A256GCM"}, "", "iv.text.tag")
	f.issuer.setUserinfo(token[4:], map[string]any{"sub": "alice@egi.eu", "name": "Alice Example"})
	f.requireAccepted(t, token)
	f.Provider = f.provider(t)
	f.requireRefused(t, token)
}

func TestRefusedOpaqueTokens(t *testing.T) {
	for _, status := range []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden} {
		f := newOpaque(t)
		f.issuer.answer(userinfoPath, text(status, "no"))
		for range 3 {
			f.requireRefused(t, opaque)
		}
		require.Equal(t, 1, f.issuer.requests(userinfoPath))
		f.issuer.answer(userinfoPath, nil)
		f.clock.Advance(10 * time.Second)
		f.requireAccepted(t, opaque)
	}
}

func TestMalformedOpaqueTokensAreNotSent(t *testing.T) {
	f := newOpaque(t)
	for _, token := range []string{"", "=", "a b", "a\r\nX-Evil: 1", "a\x00", "é", "a,b", `{"a":1}`} {
		f.requireRefused(t, "egi:"+token)
	}
	require.Zero(t, f.issuer.requests(userinfoPath))
}

// The userinfo endpoint is not asked for a second opinion about a JWT.
func TestForgedJWTsAreNotSent(t *testing.T) {
	f := newOpaque(t)
	forged := signed(jose.RS256, otherRSA, header{"kid": "rsa"}, f.claims(nil))
	f.issuer.setUserinfo(forged[4:], map[string]any{"sub": "alice@egi.eu"})
	f.requireRefused(t, forged)
	f.requireRefused(t, f.good(map[string]any{"exp": 1}))
	require.Zero(t, f.issuer.requests(userinfoPath))
	f.requireAccepted(t, f.good(map[string]any{"aud": "https://other.example.org"}))
}

func TestFaultyUserinfoEndpoints(t *testing.T) {
	other := map[string]http.HandlerFunc{
		"status 500": text(http.StatusInternalServerError, ""),
		"status 429": text(http.StatusTooManyRequests, ""),
		"status 404": text(http.StatusNotFound, ""),
		"redirects are not followed": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/other", http.StatusTemporaryRedirect)
		},
		"its answer is not a JSON": text(http.StatusOK, "<html>"),
		"not a JSON object":        text(http.StatusOK, "null"),
		"its answer is malformed":  text(http.StatusOK, `{"SUB":"alice"}`),
		"more than 1048576 bytes":  text(http.StatusOK, string(large(1<<20+1))),
		"EOF":                      func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"the claim sub is missing": text(http.StatusOK, `{"sub":""}`),
	}
	for want, answer := range other {
		t.Run(want, func(t *testing.T) {
			f := newOpaque(t)
			f.issuer.answer(userinfoPath, answer)
			f.requireOperational(t, opaque, want)
			require.Empty(t, f.users(t))
			f.issuer.answer(userinfoPath, nil)
			f.requireAccepted(t, opaque) // faults are not remembered
		})
	}
	t.Run("no endpoint", func(t *testing.T) {
		f := newOpaque(t)
		f.issuer.answer(discoveryPath, text(http.StatusOK, `{"issuer":"`+f.issuer.URL+`","jwks_uri":"`+f.issuer.URL+`/keys"}`))
		f.requireOperational(t, opaque, "the issuer has no userinfo endpoint")
		f.requireAccepted(t, f.good(map[string]any{"name": nil}))
	})
}

// At most sixteen questions are asked at once, and all waits end.
func TestAHungUserinfoEndpoint(t *testing.T) {
	f := newOpaque(t, func(o *oidc.Options) { o.Timeout = 2 * time.Second })
	require.NoError(t, f.Check(t.Context()))
	waiting, _ := f.issuer.hang(t, userinfoPath)
	start := time.Now()
	var calls sync.WaitGroup
	for range 40 {
		calls.Go(func() {
			if _, err := f.Identify(t.Context(), opaque); err == nil {
				t.Error("no error")
			}
		})
	}
	calls.Wait()
	require.Less(t, time.Since(start), 10*time.Second)
	_, most := waiting()
	require.Equal(t, 16, most)
	f.requireOperational(t, opaque, "deadline exceeded")
}
