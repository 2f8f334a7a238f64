package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/remote"
)

// loginTTL is the default lifetime of the token of a login.
const loginTTL = 30 * 24 * time.Hour

// login exchanges a password for a named token, and keeps it in the profile.
func login(f *flags) action {
	var connection connectionFlags
	connection.declare(f)
	value(f, &connection.user, "user", "NAME",
		"the user; the password comes from the terminal or the first line of standard input", verbatim)
	ttl := loginTTL
	value(f, &ttl, "ttl", "DURATION", "the lifetime of the token, default 30d", parseTTL)
	asJSON := f.json("the login")
	return func(ctx context.Context, p process, _ []string) error {
		if connection.user == "" {
			return misuse("give the user: --user NAME")
		}
		path, err := p.profilePath(connection.profile)
		if err != nil {
			return err
		}
		earlier, _, _ := readProfileOfAnyMode(path) // a broken one has no token
		var token macaroon.Token
		if err := connection.with(p, func(account *remote.Account) (err error) {
			token, err = account.IssueNamed(ctx, "onetoken "+strings.ToLower(rand.Text()[:12]), macaroon.Grant{
				Caveats: []caveat.Caveat{caveat.Until(time.Now().Add(ttl))},
			})
			if err != nil {
				return err
			}
			if err := (profile{connection.onezone, macaroon.Credential{Token: token}}).save(path); err != nil {
				return unusedToken(ctx, account, token, err)
			}
			return nil
		}); err != nil {
			return err
		}
		replaced := connection.replace(ctx, p, earlier)
		until, _ := token.Expiry()
		if *asJSON {
			return p.printJSON(struct {
				Onezone    string         `json:"onezone"`
				Subject    caveat.Subject `json:"subject"`
				TokenID    string         `json:"tokenId"`
				ValidUntil int64          `json:"validUntil"` // Unix seconds
				Profile    string         `json:"profile"`
				Replaced   string         `json:"replacedTokenId,omitempty"`
			}{connection.onezone, token.Subject(), token.ID(), until, path, replaced})
		}
		text := fmt.Sprintf("logged in to %s as %s until %s, with the token %s in %s",
			connection.onezone, connection.user, moment(until), token.ID(), path)
		if replaced != "" {
			text += "; deleted the token " + replaced + " of the login before"
		}
		return p.say("%s", text)
	}
}

// unusedToken deletes a token that could not be kept.
func unusedToken(ctx context.Context, account *remote.Account, token macaroon.Token, why error) error {
	if err := account.Delete(ctx, token.ID()); err != nil {
		return fmt.Errorf("%w; the token %s was not deleted either: %w", why, token.ID(), misuse(err.Error()))
	}
	return why
}
