package oidc_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/oidc"
)

func TestLogIn(t *testing.T) {
	f := newFixture(t)
	alice := caveat.User(oidc.UserID(f.issuer.URL, "alice@egi.eu"))
	for range 2 {
		user, err := f.Identify(t.Context(), f.good(nil))
		require.NoError(t, err)
		require.Equal(t, alice, user)
	}
	bob, err := f.Identify(t.Context(), f.good(map[string]any{"sub": "bob@egi.eu"}))
	require.NoError(t, err)
	require.ElementsMatch(t, []string{alice.ID, bob.ID}, f.users(t))
	stored, err := f.authority.User(t.Context(), alice)
	require.NoError(t, err)
	require.Equal(t, "Alice Example", stored.FullName)
	require.Empty(t, stored.Username)
	require.False(t, stored.HasPassword)
	require.Equal(t, 1, f.issuer.requests(discoveryPath))
	require.Equal(t, 1, f.issuer.requests(keysPath))
	require.Zero(t, f.issuer.requests(userinfoPath))
}

// The id of a user must never change: it would be another user.
func TestUserIDIsStable(t *testing.T) {
	require.Equal(t, "bb1dfeefde8447ad78e29d2e302dd4a9", oidc.UserID("https://aai.egi.eu/auth/realms/egi", "alice@egi.eu"))
	require.NotEqual(t, oidc.UserID("https://a.example", "b"), oidc.UserID("https://a.exampleb", ""))
}

func TestAcceptedJWTs(t *testing.T) {
	f := newFixture(t)
	now := f.clock.Now()
	for name, token := range map[string]string{
		"RS256":               signed(jose.RS256, rsaKey, header{"kid": "rsa"}, f.claims(nil)),
		"RS512":               signed(jose.RS512, rsaKey, header{"kid": "rsa"}, f.claims(nil)),
		"PS256":               signed(jose.PS256, rsaKey, header{"kid": "rsa"}, f.claims(nil)),
		"ES256":               signed(jose.ES256, ecKey, header{"kid": "ec"}, f.claims(nil)),
		"EdDSA":               signed(jose.EdDSA, edKey, header{"kid": "ed"}, f.claims(nil)),
		"no key id":           signed(jose.ES256, ecKey, nil, f.claims(nil)),
		"typ of RFC 9068":     signed(jose.RS256, rsaKey, header{"kid": "rsa", "typ": "application/at+jwt"}, f.claims(nil)),
		"typ of Keycloak":     signed(jose.RS256, rsaKey, header{"kid": "rsa", "typ": "JWT"}, f.claims(map[string]any{"typ": "Bearer"})),
		"one of audiences":    f.good(map[string]any{"aud": []string{"https://other.example.org", audience}}),
		"expires in a moment": f.good(map[string]any{"exp": float64(now.Unix()) + 0.5}),
		"no nbf":              f.good(map[string]any{"nbf": nil}),
		"nbf with skew":       f.good(map[string]any{"nbf": now.Add(time.Minute).Unix()}),
		"claims of all kinds": f.good(map[string]any{"groups": []any{1, "a", nil}, "address": map[string]any{"x": 1}}),
	} {
		t.Run(name, func(t *testing.T) {
			user, err := f.Identify(t.Context(), token)
			require.NoError(t, err, f.log.String())
			require.Equal(t, oidc.UserID(f.issuer.URL, "alice@egi.eu"), user.ID)
		})
	}
}

// unsigned returns a JWT with a header and a signature of the attacker's.
func unsigned(h, claims any, signature string) string {
	encode := func(v any) string { return base64.RawURLEncoding.EncodeToString(must(json.Marshal(v))) }
	return "egi:" + encode(h) + "." + encode(claims) + "." + signature
}

func TestRefusedJWTs(t *testing.T) {
	f := newFixture(t)
	now := f.clock.Now().Unix()
	weak := must(rsa.GenerateKey(rand.Reader, 1024))
	encryption, limited := public("enc", otherRSA), public("limited", rsaKey)
	encryption.Use, limited.Algorithm = "enc", "RS256"
	f.issuer.setKeys(public("rsa", rsaKey), public("ec", ecKey), public("weak", weak), encryption, limited,
		jose.JSONWebKey{KeyID: "shared", Key: []byte(strings.Repeat("s", 32))})
	der := must(x509.MarshalPKIXPublicKey(rsaKey.Public()))
	pemKey := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	good := f.good(nil)
	parts := strings.Split(good, ".")
	type m = map[string]any
	raw := func(payload string) string { return signed(jose.RS256, rsaKey, header{"kid": "rsa"}, []byte(payload)) }
	plus := func(changes m, more string) string {
		return raw(strings.TrimSuffix(string(must(json.Marshal(f.claims(changes)))), "}") + more + "}")
	}
	for name, token := range map[string]string{
		"alg none":                      unsigned(m{"alg": "none", "kid": "rsa"}, f.claims(nil), ""),
		"alg None":                      unsigned(m{"alg": "None"}, f.claims(nil), ""),
		"alg none with a signature":     unsigned(m{"alg": "none"}, f.claims(nil), parts[2]),
		"no alg":                        unsigned(m{"kid": "rsa"}, f.claims(nil), parts[2]),
		"HS256 with the public key PEM": signed(jose.HS256, pemKey, header{"kid": "rsa"}, f.claims(nil)),
		"HS256 with the public key DER": signed(jose.HS256, der, header{"kid": "rsa"}, f.claims(nil)),
		"HS256 with the modulus":        signed(jose.HS256, rsaKey.N.Bytes(), header{"kid": "rsa"}, f.claims(nil)),
		"HS256 with a published secret": signed(jose.HS256, []byte(strings.Repeat("s", 32)), header{"kid": "shared"}, f.claims(nil)),
		"another key, same id":          signed(jose.RS256, otherRSA, header{"kid": "rsa"}, f.claims(nil)),
		"another key, no id":            signed(jose.RS256, otherRSA, nil, f.claims(nil)),
		"another key, unknown id":       signed(jose.RS256, otherRSA, header{"kid": "../../rsa"}, f.claims(nil)),
		"right key, id of another":      signed(jose.RS256, rsaKey, header{"kid": "ec"}, f.claims(nil)),
		"right key, unknown id":         signed(jose.RS256, rsaKey, header{"kid": "RSA"}, f.claims(nil)),
		"id is a number":                unsigned(m{"alg": "RS256", "kid": 1}, f.claims(nil), parts[2]),
		"a key for encryption":          signed(jose.RS256, otherRSA, header{"kid": "enc"}, f.claims(nil)),
		"a key of 1024 bits":            signed(jose.RS256, weak, header{"kid": "weak"}, f.claims(nil)),
		"not the algorithm of the key":  signed(jose.PS256, rsaKey, header{"kid": "limited"}, f.claims(nil)),
		"ES256 with the id of RSA":      signed(jose.ES256, ecKey, header{"kid": "rsa"}, f.claims(nil)),
		"key in the header": signed(jose.RS256, otherRSA, header{
			"jwk": jose.JSONWebKey{Key: otherRSA.Public(), KeyID: "rsa", Algorithm: "RS256"}}, f.claims(nil)),
		"URL of keys in the header":    signed(jose.RS256, otherRSA, header{"kid": "rsa", "jku": "https://attacker.example/keys"}, f.claims(nil)),
		"unknown critical header":      signed(jose.RS256, rsaKey, header{"kid": "rsa", "crit": []string{"exp"}, "exp": 1}, f.claims(nil)),
		"other claims, same signature": parts[0] + "." + base64.RawURLEncoding.EncodeToString(must(json.Marshal(f.claims(m{"sub": "root"})))) + "." + parts[2],
		"cut signature":                good[:len(good)-10],
		"no signature":                 parts[0] + "." + parts[1] + ".",
		"four parts":                   good + ".e30",
		"five parts":                   good + ".e30.e30",
		"padded":                       good + "==",
		"a line feed after it":         good + "\n",
		"a line feed in it":            good[:40] + "\n" + good[40:],
		"a space before it":            "egi: " + good[4:],
		"JSON serialization":           `egi:{"payload":"` + parts[1] + `","protected":"` + parts[0][4:] + `","signature":"` + parts[2] + `"}`,

		"expired now":           f.good(m{"exp": now}),
		"expired":               f.good(m{"exp": now - 1}),
		"no time of expiry":     f.good(m{"exp": nil}),
		"expiry is null":        raw(`{"iss":"` + f.issuer.URL + `","sub":"a","aud":"` + audience + `","exp":null}`),
		"expiry is a text":      f.good(m{"exp": "never"}),
		"expiry is negative":    f.good(m{"exp": -1e300}),
		"EXP instead of exp":    f.good(m{"exp": nil, "EXP": now + 300}),
		"not valid yet":         f.good(m{"nbf": now + 61}),
		"nbf is a text":         f.good(m{"nbf": "now"}),
		"another issuer":        f.good(m{"iss": "https://attacker.example"}),
		"issuer with a slash":   f.good(m{"iss": f.issuer.URL + "/"}),
		"no issuer":             f.good(m{"iss": nil}),
		"issuer in a list":      f.good(m{"iss": []string{f.issuer.URL}}),
		"another audience":      f.good(m{"aud": "https://other.example.org"}),
		"a longer audience":     f.good(m{"aud": audience + ".attacker.example"}),
		"no audience":           f.good(m{"aud": nil}),
		"empty audience":        f.good(m{"aud": ""}),
		"no audiences":          f.good(m{"aud": []string{}}),
		"AUD instead of aud":    f.good(m{"aud": nil, "AUD": audience}),
		"audience in an object": f.good(m{"aud": m{audience: true}}),

		"no subject":                 f.good(m{"sub": nil}),
		"empty subject":              f.good(m{"sub": ""}),
		"subject is a number":        f.good(m{"sub": 7}),
		"subject is too long":        f.good(m{"sub": strings.Repeat("a", 256)}),
		"subject with a line feed":   f.good(m{"sub": "a\nb"}),
		"subject with a NUL":         f.good(m{"sub": "a\x00b"}),
		"a second subject, SUB":      plus(nil, `,"SUB":"root"`),
		"a second subject, ſub":      plus(nil, `,"ſub":"root"`),
		"a second issuer, ISS":       plus(m{"iss": "https://attacker.example"}, `,"ISS":"`+f.issuer.URL+`"`),
		"claims are a list":          raw(`[]`),
		"claims are null":            raw(`null`),
		"claims are not JSON":        raw(`{`),
		"an ID token":                f.good(m{"at_hash": "x"}),
		"an ID token of a code":      f.good(m{"c_hash": "x"}),
		"an ID token of Keycloak":    f.good(m{"typ": "ID"}),
		"a refresh token":            f.good(m{"typ": "Refresh"}),
		"typ is a number":            f.good(m{"typ": 1}),
		"a logout token":             f.good(m{"events": m{"http://schemas.openid.net/event/backchannel-logout": m{}}}),
		"bound to a key":             f.good(m{"cnf": m{"jkt": "x"}}),
		"header typ of a logout":     signed(jose.RS256, rsaKey, header{"kid": "rsa", "typ": "logout+jwt"}, f.claims(nil)),
		"header typ of a DPoP proof": signed(jose.RS256, rsaKey, header{"kid": "rsa", "typ": "dpop+jwt"}, f.claims(nil)),
		"header typ is a number":     signed(jose.RS256, rsaKey, header{"kid": "rsa", "typ": 1}, f.claims(nil)),
		"empty":                      "egi:",
		"too long":                   "egi:" + strings.Repeat("a", 16<<10+1),
		"opaque":                     "egi:0123456789abcdef0123456789abcdef",
	} {
		t.Run(name, func(t *testing.T) { f.requireRefused(t, token) })
	}
	require.Empty(t, f.users(t))
	require.Zero(t, f.issuer.requests(userinfoPath))
	require.Equal(t, 1, f.issuer.requests(keysPath), "forged tokens must not make requests")
}

func TestTokensOfOthersAreBadTokens(t *testing.T) {
	f := newFixture(t)
	for _, token := range []string{"", "egi", "EGI:" + f.good(nil)[4:], f.good(nil)[4:], " " + f.good(nil), "indigo:" + f.good(nil)[4:]} {
		_, err := f.Identify(t.Context(), token)
		require.Equal(t, errors.BadToken(""), err)
	}
	require.Zero(t, f.issuer.requests(discoveryPath))
}

func TestTokensExpire(t *testing.T) {
	f := newFixture(t)
	token := f.good(nil)
	_, err := f.Identify(t.Context(), token)
	require.NoError(t, err)
	f.clock.Advance(300*time.Second - time.Millisecond)
	_, err = f.Identify(t.Context(), token)
	require.NoError(t, err)
	f.clock.Advance(time.Millisecond)
	f.requireRefused(t, token)
}

// FuzzIdentify: no text is accepted, panics or leads to a request to the
// userinfo endpoint.
func FuzzIdentify(f *testing.F) {
	x := newFixture(f)
	stranger := signed(jose.RS256, otherRSA, header{"kid": "rsa"}, x.claims(nil))
	f.Add(stranger)
	f.Add(unsigned(map[string]any{"alg": "none"}, x.claims(nil), ""))
	f.Add("egi:opaque")
	f.Fuzz(func(t *testing.T, token string) {
		_, err := x.Identify(t.Context(), token)
		if !errors.Is(err, errors.IDBadIdpAccessToken) && !errors.Is(err, errors.IDBadToken) {
			t.Errorf("%q: %v", token, err)
		}
		if x.issuer.requests(userinfoPath) > 0 {
			t.Error("the userinfo endpoint was asked")
		}
	})
}
