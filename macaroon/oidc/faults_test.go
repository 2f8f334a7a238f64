package oidc_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/macaroon/oidc"
)

func (f *fixture) requireAccepted(t testing.TB, token string) {
	t.Helper()
	_, err := f.Identify(t.Context(), token)
	require.NoError(t, err, f.log.String())
}

// A new key is used as soon as a token is signed with it, but unknown keys do not
// make more than one request in ten seconds.
func TestKeysAreRotated(t *testing.T) {
	f := newFixture(t)
	f.requireAccepted(t, f.good(nil))
	f.issuer.setKeys(public("rsa", rsaKey), public("new", otherRSA))
	fresh := func() string { return signed(jose.RS256, otherRSA, header{"kid": "new"}, f.claims(nil)) }
	f.requireRefused(t, fresh())
	require.Equal(t, 1, f.issuer.requests(keysPath))
	f.clock.Advance(10 * time.Second)
	f.requireAccepted(t, fresh())
	require.Equal(t, 2, f.issuer.requests(keysPath))
	for i := range 20 {
		f.requireRefused(t, signed(jose.RS256, otherRSA, header{"kid": fmt.Sprint("unknown", i)}, f.claims(nil)))
	}
	require.Equal(t, 2, f.issuer.requests(keysPath))
	f.requireAccepted(t, fresh())
}

// A key with the id of an old one is found, too.
func TestAKeyIsReplacedUnderItsID(t *testing.T) {
	f := newFixture(t)
	f.requireAccepted(t, f.good(nil))
	f.issuer.setKeys(public("rsa", otherRSA))
	f.clock.Advance(10 * time.Second)
	f.requireAccepted(t, signed(jose.RS256, otherRSA, header{"kid": "rsa"}, f.claims(nil)))
	f.requireRefused(t, f.good(nil))
}

// A key that the issuer has withdrawn is used for at most five minutes.
func TestAKeyIsWithdrawn(t *testing.T) {
	f := newFixture(t)
	f.requireAccepted(t, f.good(nil))
	f.issuer.setKeys(public("ec", ecKey))
	f.clock.Advance(5*time.Minute - time.Second)
	f.requireAccepted(t, f.good(nil))
	f.clock.Advance(time.Second)
	f.requireRefused(t, f.good(nil))
}

// While the issuer cannot be reached, its keys are used for an hour.
func TestTheIssuerIsDownForAWhile(t *testing.T) {
	f := newFixture(t)
	f.requireAccepted(t, f.good(nil))
	f.issuer.answer(keysPath, text(http.StatusBadGateway, "down"))
	f.clock.Advance(time.Hour - time.Second)
	f.requireAccepted(t, f.good(nil))
	f.requireAccepted(t, f.good(nil))
	require.Equal(t, 2, f.issuer.requests(keysPath), "it must not be asked for each token")
	// The verdict on a token with an unknown key would be a guess.
	unknown := signed(jose.RS256, otherRSA, header{"kid": "new"}, f.claims(nil))
	f.requireOperational(t, unknown, "it answered with the status 502")
	f.clock.Advance(time.Second)
	f.requireOperational(t, f.good(nil), "it answered with the status 502")
	f.issuer.answer(keysPath, nil)
	f.clock.Advance(10 * time.Second)
	f.requireAccepted(t, f.good(nil))
	f.requireRefused(t, unknown)
}

// A clock that is set back must not make old keys young.
func TestTheClockIsSetBack(t *testing.T) {
	f := newFixture(t)
	f.requireAccepted(t, f.good(nil))
	f.issuer.setKeys(public("ec", ecKey))
	f.clock.Advance(-24 * time.Hour)
	f.requireRefused(t, f.good(nil))
}

func TestFaultyIssuers(t *testing.T) {
	discovery := func(members string) func(*testIssuer) {
		return func(i *testIssuer) {
			i.answer(discoveryPath, text(http.StatusOK, strings.ReplaceAll(members, "URL", i.URL)))
		}
	}
	keys := func(status int, body string) func(*testIssuer) {
		return func(i *testIssuer) { i.answer(keysPath, text(status, body)) }
	}
	weak := `{"keys":[{"kty":"oct","k":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0","kid":"rsa"},{"kty":"strange"},17]}`
	for name, c := range map[string]struct {
		fault func(*testIssuer)
		want  string
	}{
		"closed":                 {func(i *testIssuer) { i.Close() }, "connection refused"},
		"not found":              {func(i *testIssuer) { i.answer(discoveryPath, text(http.StatusNotFound, "")) }, "404"},
		"no JSON":                {discovery("<html>"), "invalid character"},
		"another issuer":         {discovery(`{"issuer":"https://attacker.example","jwks_uri":"URL/keys"}`), "did not match"},
		"an issuer with a slash": {discovery(`{"issuer":"URL/","jwks_uri":"URL/keys"}`), "did not match"},
		"no URL of keys":         {discovery(`{"issuer":"URL"}`), "jwks_uri"},
		"keys without TLS":       {discovery(`{"issuer":"URL","jwks_uri":"http://issuer.example/keys"}`), "must begin with https://"},
		"userinfo without TLS":   {discovery(`{"issuer":"URL","jwks_uri":"URL/keys","userinfo_endpoint":"http://issuer.example/u"}`), "userinfo_endpoint"},
		"a large document":       {discovery(`{"issuer":"URL","x":"` + string(large(1<<20)) + `"}`), "more than 1048576 bytes"},
		"a long error page":      {func(i *testIssuer) { i.answer(discoveryPath, text(http.StatusBadGateway, string(large(1<<10)))) }, "(shortened)"},
		"keys cannot be read":    {keys(http.StatusInternalServerError, ""), "status 500"},
		"keys are no JSON":       {keys(http.StatusOK, "<html>"), "not a JSON object of keys"},
		"no keys":                {keys(http.StatusOK, `{}`), "none of them is a public key"},
		"only unusable keys":     {keys(http.StatusOK, weak), "none of them is a public key"},
		"too many keys":          {keys(http.StatusOK, `{"keys":[`+strings.Repeat("1,", 32)+`1]}`), "there are 33 of them, and may be 32"},
		"large keys":             {keys(http.StatusOK, string(large(1<<20+1))), "more than 1048576 bytes"},
		"keys at another place": {func(i *testIssuer) {
			i.answer(keysPath, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/other", http.StatusFound) })
		}, "redirects are not followed"},
		"connection is cut": {func(i *testIssuer) {
			i.answer(keysPath, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		}, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			c.fault(f.issuer)
			require.ErrorContains(t, f.Check(t.Context()), c.want)
			require.Less(t, len(f.log.String()), 1000)
			f.requireOperational(t, f.good(nil), c.want)
			require.Empty(t, f.users(t))
			require.Contains(t, f.log.String(), "the keys of an identity provider could not be fetched")
		})
	}
}

// The certificate of the issuer is verified.
func TestAnUntrustedCertificate(t *testing.T) {
	f := newFixture(t)
	f.Provider = f.provider(t, func(o *oidc.Options) { o.Transport = nil })
	f.requireOperational(t, f.good(nil), "certificate")
}

// hang makes a path wait until it is released, or the client gives up. waiting
// returns the number of requests that wait, and their maximum.
func (i *testIssuer) hang(t testing.TB, path string) (waiting func() (now, most int), release func()) {
	var mu sync.Mutex
	var now, most int
	end := make(chan struct{})
	i.answer(path, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		select {
		case <-end:
			i.serve(w, r)
		case <-r.Context().Done():
		}
		mu.Lock()
		now--
		mu.Unlock()
	})
	release = sync.OnceFunc(func() { close(end) })
	t.Cleanup(release)
	return func() (int, int) {
		mu.Lock()
		defer mu.Unlock()
		return now, most
	}, release
}

func TestAHungIssuer(t *testing.T) {
	f := newFixture(t, func(o *oidc.Options) { o.Timeout = 200 * time.Millisecond })
	waiting, _ := f.issuer.hang(t, keysPath)
	start := time.Now()
	var calls sync.WaitGroup
	for range 20 {
		calls.Go(func() {
			_, err := f.Identify(t.Context(), f.good(nil))
			if err == nil || !strings.Contains(err.Error(), "deadline exceeded") {
				t.Errorf("%v", err)
			}
		})
	}
	calls.Wait()
	require.Less(t, time.Since(start), 5*time.Second)
	_, most := waiting()
	require.Equal(t, 1, most, "calls must share one question")
	f.requireOperational(t, f.good(nil), "deadline exceeded")
	require.Equal(t, 1, f.issuer.requests(keysPath))
}

// While a known issuer hangs, its old keys are used.
func TestAKnownIssuerHangs(t *testing.T) {
	f := newFixture(t, func(o *oidc.Options) { o.Timeout = time.Second })
	f.requireAccepted(t, f.good(nil))
	waiting, _ := f.issuer.hang(t, keysPath)
	f.clock.Advance(5 * time.Minute)
	for range 3 {
		f.requireAccepted(t, f.good(nil))
	}
	_, most := waiting()
	require.Equal(t, 1, most)
}

// A caller that gives up does not take the answer from the others.
func TestACallerGivesUp(t *testing.T) {
	f := newFixture(t)
	waiting, release := f.issuer.hang(t, discoveryPath)
	ctx, cancel := context.WithCancel(t.Context())
	var first, second sync.WaitGroup
	first.Go(func() {
		_, err := f.Identify(ctx, f.good(nil))
		if err == nil || !strings.Contains(err.Error(), "context canceled") {
			t.Errorf("%v", err)
		}
	})
	require.Eventually(t, func() bool { now, _ := waiting(); return now == 1 }, 10*time.Second, time.Millisecond)
	second.Go(func() {
		if _, err := f.Identify(t.Context(), f.good(nil)); err != nil {
			t.Error(err)
		}
	})
	cancel()
	first.Wait()
	release()
	second.Wait()
	require.Equal(t, 1, f.issuer.requests(discoveryPath))
}
