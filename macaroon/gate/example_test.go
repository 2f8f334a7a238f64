package gate_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/gate"
	"github.com/onezone-go/onezone/store/memory"
)

// A gate in front of a file server, which only Alice may use. nginx would send
// the requests of the example.
func Example() {
	ctx := context.Background()
	authority, err := macaroon.NewAuthority(memory.New())
	if err != nil {
		panic(err)
	}
	alice, err := authority.CreateUser(ctx, macaroon.NewUser{ID: "alice"})
	if err != nil {
		panic(err)
	}
	token, err := authority.IssueNamed(ctx, "browser", macaroon.Grant{Subject: alice, Type: macaroon.IdentityToken()})
	if err != nil {
		panic(err)
	}
	rules, err := gate.ParseRules("rules.toml", []byte(`
proxy = "nginx"

[[rule]]
path = "/reports/{rest...}"
methods = ["GET"]
allow = ["usr-alice"]
`))
	if err != nil {
		panic(err)
	}
	g, err := gate.New(authority, rules, gate.WithTrustedProxies(netip.MustParsePrefix("192.0.2.0/24")))
	if err != nil {
		panic(err)
	}
	for _, target := range []string{"/reports/2026.pdf?page=2", "/reports/../etc/passwd"} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("X-Original-Method", "GET")
		r.Header.Set("X-Original-URI", target)
		r.Header.Set("Authorization", "Bearer "+token.String())
		answer := httptest.NewRecorder()
		g.ServeHTTP(answer, r)
		fmt.Println(answer.Code, answer.Header().Get("X-Onezone-Subject"))
	}

	// Output:
	// 200 usr-alice
	// 403
}

// Explain says what is asked of a request.
func ExampleRules_Explain() {
	rules, err := gate.ParseRules("rules.toml", []byte(`
proxy = "caddy"

[[rule]]
path = "/files/{space}/{path...}"
methods = ["PUT"]
allow = ["client"]
api = "opw/update/file.{space}.content"
write = "/{space}/{path}"
`))
	if err != nil {
		panic(err)
	}
	text, err := rules.Explain("PUT", "/files/s1/results/1.csv")
	if err != nil {
		panic(err)
	}
	fmt.Print(text)

	// Output:
	// rule       rules.toml:4, path "/files/{space}/{path...}"
	// {space}    "s1"
	// {path}     "results/1.csv"
	// allow      every client
	// token      access, at the service ozw-onezone
	// api        opw/update/file.s1.content:private
	// write      "/s1/results/1.csv"
}
