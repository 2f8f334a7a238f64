// Resource-server is a small file service that is protected by Onezone tokens.
// Caveats limit the files that a token may read and write.
//
// By default it issues its own tokens. With -onezone URL it accepts those of an
// Onezone that somebody else runs.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/remote"
	"github.com/onezone-go/onezone/store/memory"
)

func main() {
	onezone := flag.String("onezone", "", "verify tokens at the Onezone with this `URL`, such as https://onezone.example.org")
	flag.Parse()
	if err := run(*onezone); err != nil {
		log.Fatal(err)
	}
}

// address is where the service listens.
const address = "127.0.0.1:8081"

// run serves the files of a directory on loopback.
func run(onezone string) error {
	root, err := os.MkdirTemp("", "resource-server")
	if err != nil {
		return err
	}
	verifier, err := newVerifier(onezone)
	if err != nil {
		return err
	}
	handler, err := newFiles(verifier, root)
	if err != nil {
		return err
	}
	server := &http.Server{
		Addr: address, Handler: handler,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute,
	}
	return server.ListenAndServe()
}

// newVerifier returns a client of the Onezone, or without a URL an authority of
// its own, for which it prints a token to try.
func newVerifier(onezone string) (macaroon.Verifier, error) {
	if onezone != "" {
		return remote.New(onezone)
	}
	authority, err := macaroon.NewAuthority(memory.New())
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	user, err := authority.CreateUser(ctx, macaroon.NewUser{Username: "demo"})
	if err != nil {
		return nil, err
	}
	token, err := authority.IssueNamed(ctx, "demo", macaroon.Grant{Subject: user, Type: macaroon.AccessToken()})
	if err != nil {
		return nil, err
	}
	fmt.Printf("curl -H 'x-auth-token: %s' -T FILE http://%s/files/space1/hello.txt\n", token.String(), address)
	return authority, nil
}
