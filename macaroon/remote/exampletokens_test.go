package remote_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/remote"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store/memory"
)

// A user issues a token that only reads data, lists the tokens, and revokes it.
func ExampleClient_As() {
	server := newOnezone() // stands for https://onezone.example.org
	defer server.Close()
	ctx := context.Background()

	client, err := remote.New(server.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	tokens := client.As(remote.ByPassword("joe", "correct horse battery"))

	token, err := tokens.IssueNamed(ctx, "reader", macaroon.Grant{Caveats: []caveat.Caveat{caveat.DataReadonly{}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	ids, err := tokens.IDs(ctx, caveat.Subject{})
	fmt.Println(len(ids), ids[0] == token.ID(), err)
	fmt.Println(tokens.Revoke(ctx, token.ID()))
	_, err = tokens.IssueNamed(ctx, "reader", macaroon.Grant{})
	fmt.Println(err)
	// Output:
	// 1 true <nil>
	// <nil>
	// badValueIdentifierOccupied: Bad value: provided "name" is taken already, choose another one.
}

// newOnezone returns an Onezone with the user joe.
func newOnezone() *httptest.Server {
	authority, err := macaroon.NewAuthority(memory.New())
	if err != nil {
		panic(err)
	}
	_, err = authority.CreateUser(context.Background(), macaroon.NewUser{Username: "joe", Password: "correct horse battery"})
	if err != nil {
		panic(err)
	}
	api, err := rest.NewHandler(authority)
	if err != nil {
		panic(err)
	}
	return httptest.NewServer(api)
}
