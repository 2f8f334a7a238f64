package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/internal/printable"
	"github.com/onezone-go/onezone/macaroon"
)

// verify verifies a token and prints its properties.
func verify(f *flags) action {
	var r requestFlags
	r.declare(f)
	var key secretFlag
	key.declare(f)
	asJSON := f.json("the verified properties")
	var connection connectionFlags
	connection.declare(f)
	return func(ctx context.Context, p process, args []string) error {
		if len(args) > 0 {
			return misuse("verify takes flags only; the token comes on standard input")
		}
		verifyToken := withSecret(key)
		if connection.onezone != "" {
			if key.file != nil || f.Changed("now") {
				return misuse("--onezone excludes --secret-file and --now: the Onezone has the secret and a clock")
			}
			verifyToken = connection.verify
		}
		token, auth, err := verifyToken(ctx, p, r.request())
		if err != nil {
			return err
		}
		return p.printAuth(token, auth, *asJSON)
	}
}

// withSecret returns a function that reads a token and verifies it with the
// secret.
func withSecret(key secretFlag) func(context.Context, process, caveat.Request) (macaroon.Token, macaroon.Auth, error) {
	return func(ctx context.Context, p process, r caveat.Request) (macaroon.Token, macaroon.Auth, error) {
		if key.file == nil && p.getenv(secretVariable) == "" {
			return macaroon.Token{}, macaroon.Auth{}, misuse("no secret given: name its file with --secret-file, or set " + secretVariable +
				"; or let an Onezone verify the token, with --onezone URL")
		}
		secret, err := key.read(p.getenv)
		if err != nil {
			return macaroon.Token{}, macaroon.Auth{}, err
		}
		token, err := p.readToken()
		if err != nil {
			return macaroon.Token{}, macaroon.Auth{}, err
		}
		auth, err := token.Verify(ctx, secret, r)
		return token, auth, err
	}
}

// verify reads a token and verifies it at the Onezone.
func (c *connectionFlags) verify(ctx context.Context, p process, r caveat.Request) (macaroon.Token, macaroon.Auth, error) {
	client, _, err := c.open(p)
	if err != nil {
		return macaroon.Token{}, macaroon.Auth{}, err
	}
	defer client.Close() //nolint:errcheck // nothing is in flight
	token, err := p.readToken()
	if err != nil {
		return macaroon.Token{}, macaroon.Auth{}, err
	}
	var auth macaroon.Auth
	switch class := token.Type().Class(); {
	case class == macaroon.Identity || r.ProveIdentity:
		auth, err = client.VerifyIdentity(ctx, token.String(), r)
	case class == macaroon.Invite:
		auth, err = client.VerifyInvite(ctx, token.String(), 0, r)
	default:
		auth, err = client.VerifyAccess(ctx, token.String(), r)
	}
	return token, auth, err
}

// printAuth prints the verified properties.
func (p process) printAuth(token macaroon.Token, auth macaroon.Auth, asJSON bool) error {
	if !asJSON {
		return write(p.out, report(token, auth))
	}
	view := struct {
		ID         string          `json:"tokenId"`
		Subject    caveat.Subject  `json:"subject"`
		Type       macaroon.Type   `json:"type"`
		Caveats    []caveat.Caveat `json:"caveats"`
		ValidUntil *int64          `json:"validUntil,omitempty"` // Unix seconds
	}{auth.TokenID, auth.Subject, auth.Type, append([]caveat.Caveat{}, auth.Caveats()...), nil}
	if until, ok := auth.Expiry(); ok {
		view.ValidUntil = &until
	}
	return p.printJSON(view)
}

// report formats the verified properties like [macaroon.Token.Inspect]. Each
// line holds one property, whatever the caveats contain, because anyone can add
// a caveat.
func report(token macaroon.Token, auth macaroon.Auth) string {
	var b strings.Builder
	line := func(name, text string) { fmt.Fprintf(&b, "%-9s %s\n", name, printable.Quote(text)) }
	line("token", auth.TokenID+" (verified)")
	if token.Version() == 1 {
		line("subject", "known to the issuer only (version 1)")
	} else {
		line("subject", auth.Subject.String())
	}
	line("type", auth.Type.Describe())
	line("expires", expiry(auth))
	for _, c := range auth.Caveats() {
		line("caveat", c.String())
	}
	return b.String()
}

func expiry(auth macaroon.Auth) string {
	until, ok := auth.Expiry()
	if !ok {
		return "never"
	}
	seconds := strconv.FormatInt(until, 10)
	if at := time.Unix(until, 0).UTC(); at.Year() <= 9999 {
		return seconds + " (" + at.Format(time.RFC3339) + ")"
	}
	return seconds
}
