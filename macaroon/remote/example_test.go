package remote_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/remote"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store/memory"
)

// A handler greets the users of an Onezone.
func Example() {
	url, token := startOnezone() // in reality "https://onezone.example.org", and a token that a user sent

	onezone, err := remote.New(url)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = onezone.Close() }()
	greet := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client, _ := rest.ClientFrom(r.Context())
		_, _ = fmt.Fprintln(w, "Hello", client.Subject)
	})
	authenticate := rest.Authenticate(onezone, rest.AcceptIdentityTokens())
	protected := authenticate(rest.RequireClient()(greet))

	for _, credential := range []string{token, "no token"} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("X-Auth-Token", credential)
		w := httptest.NewRecorder()
		protected.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 Hello usr-alice
	//
	// 401 {"error":{"id":"unauthorized","details":{"authError":{"id":"badToken","description":"The token could not be understood: it is neither in the printable form of tokens nor plain base64."}},"description":"The given authentication is not valid for this operation: The token could not be understood: it is neither in the printable form of tokens nor plain base64."}}
}

// startOnezone starts an Onezone and returns its URL and an identity token of
// its user alice.
func startOnezone() (url, token string) {
	ctx := context.Background()
	authority, err := macaroon.NewAuthority(memory.New())
	if err != nil {
		panic(err)
	}
	alice, err := authority.CreateUser(ctx, macaroon.NewUser{ID: "alice"})
	if err != nil {
		panic(err)
	}
	issued, err := authority.IssueNamed(ctx, "proof", macaroon.Grant{Subject: alice, Type: macaroon.IdentityToken()})
	if err != nil {
		panic(err)
	}
	api, err := rest.NewHandler(authority)
	if err != nil {
		panic(err)
	}
	return httptest.NewServer(api).URL, issued.String()
}
