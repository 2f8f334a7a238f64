// Quickstart issues a token, confines a copy of it, verifies the copy and
// revokes the token.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/netip"
	"os"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store/memory"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	authority, err := macaroon.NewAuthority(memory.New())
	if err != nil {
		return err
	}
	alice, err := authority.CreateUser(ctx, macaroon.NewUser{ID: "alice"})
	if err != nil {
		return err
	}

	// Issue: Alice gets a token that is valid for an hour.
	token, err := authority.IssueNamed(ctx, "laptop", macaroon.Grant{
		Subject: alice,
		Type:    macaroon.AccessToken(),
		Caveats: []caveat.Caveat{caveat.Until(time.Now().Add(time.Hour))},
	})
	if err != nil {
		return err
	}

	// Confine: she makes a copy that is valid only in her network. That needs
	// no secret and no server.
	lent, err := token.Confine(caveat.MustParse("ip = 10.0.0.0/8"))
	if err != nil {
		return err
	}

	// Verify: the text of a token yields an identity, or an error of the
	// catalogue.
	show := func(from string) error {
		auth, err := authority.VerifyAccess(ctx, lent.String(), caveat.Request{IP: netip.MustParseAddr(from)})
		if err != nil {
			_, err = fmt.Fprintf(out, "from %s: refused, %v\n", from, err)
			return err
		}
		_, err = fmt.Fprintf(out, "from %s: welcome, %v\n", from, auth.Subject)
		return err
	}
	if err := show("10.1.2.3"); err != nil {
		return err
	}
	if err := show("192.0.2.1"); err != nil {
		return err
	}

	// Revoke: the token and all its copies are refused.
	if err := authority.Revoke(ctx, token.ID()); err != nil {
		return err
	}
	return show("10.1.2.3")
}
