// Discharge shows a photo service whose clients log in at an identity service.
// The photo service knows no passwords: its macaroons have a third-party caveat,
// which the identity service discharges for the right user.
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/discharge"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// run serves both services on loopback, and lets two users ask for the same album.
func run(ctx context.Context, out io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	identityURL, photosURL, err := start(ctx)
	if err != nil {
		return err
	}
	for _, user := range []string{"alice", "bob"} {
		c, err := newClient(identityURL, browser{user, user + "'s passphrase"}.show)
		if err != nil {
			return err
		}
		album, err := c.get(ctx, photosURL+"/albums/alice")
		if errors.Is(err, errors.IDForbidden) {
			album = "refused by the identity service"
		} else if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "%s asks for the album of alice: %s\n", user, album); err != nil {
			return err
		}
	}
	return nil
}

// start starts both services, which know alice and bob, until ctx is done.
func start(ctx context.Context) (identityURL, photosURL string, err error) {
	authority, err := macaroon.NewAuthority(memory.New())
	if err != nil {
		return "", "", err
	}
	for _, name := range []string{"alice", "bob"} {
		_, err := authority.CreateUser(ctx, macaroon.NewUser{ID: name, Username: name, Password: name + "'s passphrase"})
		if err != nil {
			return "", "", err
		}
	}
	key := discharge.NewKey()
	identity, err := newIdentity(authority, key)
	if err != nil {
		return "", "", err
	}
	if identityURL, err = serve(ctx, identity); err != nil {
		return "", "", err
	}
	photos, err := newPhotos(store.NewSecret(rand.Text()), identityURL, key.Public())
	if err != nil {
		return "", "", err
	}
	photosURL, err = serve(ctx, photos)
	return identityURL, photosURL, err
}

// serve serves a handler on a free port of loopback, until ctx is done.
func serve(ctx context.Context, h http.Handler) (url string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return "http://" + listener.Addr().String(), nil
}
