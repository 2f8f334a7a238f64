// Resource-server is a small file service that is protected by Onezone tokens.
// Caveats limit the files that a token may read and write. It speaks WebDAV, so
// that rclone, davix and gfal2 can use it.
//
// By default it issues its own tokens, and prints one to try, with commands.
// With -onezone URL it accepts the tokens of an Onezone that somebody else runs.
//
// A real service has a certificate: tokens must not cross a network in clear.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/remote"
	"github.com/onezone-go/onezone/store/memory"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8081", "the `address` of the service")
	dir := flag.String("dir", "", "serve the files of this `directory` (default: a new one)")
	onezone := flag.String("onezone", "", "verify tokens at the Onezone with this `URL`, such as https://onezone.example.org")
	flag.Parse()
	if err := run(*listen, *dir, *onezone); err != nil {
		log.Fatal(err)
	}
}

// run serves the files of a directory.
func run(address, dir, onezone string) error {
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "resource-server"); err != nil {
			return err
		}
	}
	verifier, token, err := newVerifier(onezone)
	if err != nil {
		return err
	}
	handler, err := newFiles(verifier, dir)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Printf(usage, listener.Addr(), token)
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute,
	}
	return server.Serve(listener)
}

// usage are commands for a shell.
const usage = `FILES=http://%s/files
TOKEN=%s
curl -H "Authorization: Bearer $TOKEN" -T FILE $FILES/space1/results/hello.txt
curl -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/macaroon-request' \
  -d '{"caveats": ["activity:DOWNLOAD,LIST"], "validity": "PT1H"}' $FILES/space1/results
rclone --webdav-url $FILES --webdav-bearer-token $TOKEN lsf :webdav:space1/results
`

// newVerifier returns a client of the Onezone, or without a URL an authority of
// its own, with a token to try.
func newVerifier(onezone string) (v macaroon.Verifier, token string, err error) {
	if onezone != "" {
		v, err = remote.New(onezone)
		return v, "...", err
	}
	authority, err := macaroon.NewAuthority(memory.New())
	if err != nil {
		return nil, "", err
	}
	ctx := context.Background()
	user, err := authority.CreateUser(ctx, macaroon.NewUser{Username: "demo"})
	if err != nil {
		return nil, "", err
	}
	t, err := authority.IssueNamed(ctx, "demo", macaroon.Grant{Subject: user, Type: macaroon.AccessToken()})
	return authority, t.String(), err
}
