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
		if connection.onezone != "" && (key.file != nil || f.Changed("now")) {
			return misuse("--onezone excludes --secret-file and --now: the Onezone has the secret and a clock")
		}
		verifyToken, err := connection.verifier(p, key)
		if err != nil {
			return err
		}
		token, err := p.readToken(args...)
		if err != nil {
			return err
		}
		auth, err := verifyToken(ctx, token, r.request())
		if err != nil {
			return err
		}
		return p.printAuth(token, auth, *asJSON)
	}
}

// verifyFunc verifies a token for a request.
type verifyFunc func(context.Context, macaroon.Token, caveat.Request) (macaroon.Auth, error)

// verifier returns a function that verifies at the Onezone of the flags, with
// the secret, or at the Onezone of the profile, in this order.
func (c *connectionFlags) verifier(p process, key secretFlag) (verifyFunc, error) {
	if c.onezone != "" {
		return c.verifyAt(p)
	}
	if key.file != nil || p.getenv(secretVariable) != "" {
		secret, err := key.read(p.getenv)
		return func(ctx context.Context, token macaroon.Token, r caveat.Request) (macaroon.Auth, error) {
			return token.Verify(ctx, secret, r)
		}, err
	}
	path, err := p.profilePath(c.profile)
	if err != nil {
		return nil, err
	}
	if pr, err := readProfile(path); err != nil {
		return nil, err
	} else if pr.Onezone == "" {
		return nil, misuse("no secret given: name its file with --secret-file, or set " + secretVariable +
			"; or let an Onezone verify the token, with --onezone URL")
	}
	return c.verifyAt(p)
}

// verifyAt returns a function that verifies at the Onezone.
func (c *connectionFlags) verifyAt(p process) (verifyFunc, error) {
	client, _, err := c.open(p)
	return func(ctx context.Context, token macaroon.Token, r caveat.Request) (macaroon.Auth, error) {
		defer client.Close() //nolint:errcheck // nothing is in flight
		return verifyWith(ctx, client, token, r)
	}, err
}

// verifyWith verifies a token of any type.
func verifyWith(ctx context.Context, v macaroon.Verifier, token macaroon.Token, r caveat.Request) (macaroon.Auth, error) {
	switch class := token.Type().Class(); {
	case class == macaroon.Identity || r.ProveIdentity:
		return v.VerifyIdentity(ctx, token.String(), r)
	case class == macaroon.Invite:
		return v.VerifyInvite(ctx, token.String(), 0, r)
	}
	return v.VerifyAccess(ctx, token.String(), r)
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
