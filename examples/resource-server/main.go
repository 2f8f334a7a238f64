// Resource-server is a small file service that is protected by Onezone tokens.
// Caveats limit the files that a token may read and write.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store/memory"
)

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

// run serves the files of a directory on loopback, and prints a token to try.
func run() error {
	root, err := os.MkdirTemp("", "resource-server")
	if err != nil {
		return err
	}
	authority, err := macaroon.NewAuthority(memory.New())
	if err != nil {
		return err
	}
	ctx := context.Background()
	user, err := authority.CreateUser(ctx, macaroon.NewUser{Username: "demo"})
	if err != nil {
		return err
	}
	token, err := authority.IssueNamed(ctx, "demo", macaroon.Grant{Subject: user, Type: macaroon.AccessToken()})
	if err != nil {
		return err
	}
	handler, err := newFiles(authority, root)
	if err != nil {
		return err
	}
	const address = "127.0.0.1:8081"
	fmt.Printf("curl -H 'x-auth-token: %s' -T FILE http://%s/files/space1/hello.txt\n", token.String(), address)
	server := &http.Server{
		Addr: address, Handler: handler,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute,
	}
	return server.ListenAndServe()
}
