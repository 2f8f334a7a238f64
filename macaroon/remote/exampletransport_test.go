package remote_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/remote"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store/memory"
)

// A client reads its token from a file and sends copies that are valid for a
// minute, for reading only.
func ExampleTransport() {
	service, tokenFile, stop := newFileService()
	defer stop()

	transport, err := remote.NewTransport(remote.TokenFile(tokenFile), []string{service.URL},
		remote.WithReadonly(), remote.WithDataPath("/files", "/space1"))
	if err != nil {
		log.Fatal(err)
	}
	client := &http.Client{Transport: transport}

	res, err := client.Get(service.URL + "/files/report.pdf")
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(os.Stdout, res.Body)
	_, err = client.Get("https://example.com")
	fmt.Println(err)
	// Output:
	// Alice reads with a token for data.readonly and data.path
	// Get "https://example.com": send a token: "https://example.com" is not one of the origins to which tokens may be sent
}

// newFileService starts a service that says what the tokens it receives are
// confined to. The file contains a token that has no caveats.
func newFileService() (service *httptest.Server, tokenFile string, stop func()) {
	ctx := context.Background()
	authority, err := macaroon.NewAuthority(memory.New())
	if err != nil {
		log.Fatal(err)
	}
	alice, err := authority.CreateUser(ctx, macaroon.NewUser{FullName: "Alice"})
	if err != nil {
		log.Fatal(err)
	}
	token, err := authority.IssueNamed(ctx, "laptop", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	tokenFile = filepath.Join(dir, "token")
	if err := os.WriteFile(tokenFile, []byte(token.String()), 0o600); err != nil {
		log.Fatal(err)
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client, _ := rest.ClientFrom(r.Context())
		cs := client.Token.Caveats()
		fmt.Fprintf(w, "Alice reads with a token for %s and %s\n", cs[1].Type(), cs[2].Type())
	})
	service = httptest.NewServer(rest.Authenticate(authority, rest.AllowDataCaveats())(rest.RequireClient()(handler)))
	return service, tokenFile, func() {
		service.Close()
		_ = os.RemoveAll(dir)
	}
}
