package oidc_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/oidc"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store/memory"
)

// A service that accepts the access tokens of an identity provider.
func Example() {
	issuer := startIssuer() // https://aai.egi.eu/auth/realms/egi, for instance
	defer issuer.Close()

	authority, err := macaroon.NewAuthority(memory.New())
	if err != nil {
		panic(err)
	}
	provider, err := oidc.New(authority, oidc.Options{
		Issuer:        issuer.URL,
		Prefix:        "egi:",
		Audiences:     []string{"https://onezone.example.org"},
		GroupsClaim:   "eduperson_entitlement",
		AllowedGroups: []string{"urn:mace:egi.eu:group:onezone"},
		Transport:     issuer.Client().Transport, // only because the certificate is for tests
	})
	if err != nil {
		panic(err)
	}
	if err := provider.Check(context.Background()); err != nil {
		panic(err)
	}
	handler := rest.Authenticate(authority, rest.WithIdentityProvider(provider))(rest.RequireClient()(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			client, _ := rest.ClientFrom(r.Context())
			user, _ := authority.User(r.Context(), client.Subject)
			_, _ = io.WriteString(w, user.FullName)
		})))

	for _, group := range []string{"urn:mace:egi.eu:group:onezone", "urn:mace:egi.eu:group:other"} {
		request := httptest.NewRequest(http.MethodGet, "/", nil)
		request.Header.Set("X-Auth-Token", signed(jose.RS256, rsaKey, header{"kid": "rsa"}, map[string]any{
			"iss": issuer.URL, "sub": "1234@egi.eu", "aud": "https://onezone.example.org",
			"exp": time.Now().Add(time.Hour).Unix(), "name": "Alice Example", "eduperson_entitlement": []string{group},
		}))
		response := httptest.NewRecorder()
		handler.ServeHTTP(response, request)
		fmt.Printf("%d %.58s\n", response.Code, response.Body)
	}

	// Output:
	// 200 Alice Example
	// 401 {"error":{"id":"unauthorized","details":{"authError":{"id"
}

// Users log in on the page at the issuer.
func ExampleProvider_LogIn() {
	issuer := startIssuer() // https://aai.egi.eu/auth/realms/egi, for instance
	defer issuer.Close()

	authority, err := macaroon.NewAuthority(memory.New())
	if err != nil {
		panic(err)
	}
	provider, err := oidc.New(authority, oidc.Options{
		Issuer: issuer.URL, Prefix: "egi:", Audiences: []string{"onezone"},
		Transport: issuer.Client().Transport, // only because the certificate is for tests
	})
	if err != nil {
		panic(err)
	}
	logIn, err := provider.LogIn(oidc.LogInOptions{
		ClientID: "onezone", ClientSecret: "secret", RedirectURL: "https://onezone.example.org/" + oidc.CallbackPath,
	})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux() // which has the page, too: see page.Options.IdentityProvider
	mux.Handle("/"+oidc.StartPath, logIn)
	mux.Handle("/"+oidc.CallbackPath, logIn)

	response := httptest.NewRecorder()
	mux.ServeHTTP(response, httptest.NewRequest(http.MethodGet, "/page/idp/start?nonce=0123456789abcdef", nil))
	to, _ := response.Result().Location()
	fmt.Println(response.Code, to.Path, to.Query().Get("redirect_uri"))
	// Output: 303 /authorize https://onezone.example.org/page/idp/callback
}
