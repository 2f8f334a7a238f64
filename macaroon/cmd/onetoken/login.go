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
	return func(ctx context.Context, p process, args []string) error {
		switch {
		case len(args) > 0:
			return misuse("login takes flags only; the password comes from the terminal or standard input")
		case connection.user == "":
			return misuse("give the user: --user NAME")
		}
		path, err := p.profilePath(connection.profile)
		if err != nil {
			return err
		}
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
		until, _ := token.Expiry()
		if *asJSON {
			return p.printJSON(struct {
				Onezone    string         `json:"onezone"`
				Subject    caveat.Subject `json:"subject"`
				TokenID    string         `json:"tokenId"`
				ValidUntil int64          `json:"validUntil"` // Unix seconds
				Profile    string         `json:"profile"`
			}{connection.onezone, token.Subject(), token.ID(), until, path})
		}
		return p.say("logged in to %s as %s until %s, with the token %s in %s",
			connection.onezone, connection.user, moment(until), token.ID(), path)
	}
}

// unusedToken deletes a token that could not be kept.
func unusedToken(ctx context.Context, account *remote.Account, token macaroon.Token, why error) error {
	if err := account.Delete(ctx, token.ID()); err != nil {
		return fmt.Errorf("%w; the token %s was not deleted either: %w", why, token.ID(), misuse(err.Error()))
	}
	return why
}

// create creates a token at the Onezone, and prints it.
func create(f *flags) action {
	var connection connectionFlags
	connection.declareCredentials(f)
	var added caveatFlags
	added.declare(f)
	var name string
	value(f, &name, "name", "NAME", "the name of the token; without a name it is a temporary token", verbatim)
	typ := macaroon.AccessToken()
	value(f, &typ, "type", "TYPE", "act (the default), idn, or an invitation CODE:TARGET:", macaroon.ParseType)
	asJSON := f.json("the token and its caveats")
	return func(ctx context.Context, p process, args []string) error {
		grant := macaroon.Grant{Type: typ}
		texts, err := added.read(p, args)
		if err != nil {
			return err
		}
		var foreign []string // caveats that Onezone does not know
		expires := false
		for _, text := range texts {
			c, err := caveat.Parse(text)
			switch {
			case err != nil:
				foreign = append(foreign, text)
				continue
			case c.Type() == caveat.TypeIdentityOnly && typ == macaroon.AccessToken():
				grant.Type = macaroon.IdentityToken() // the token that the web interface creates
				continue
			}
			expires = expires || c.Type() == caveat.TypeTime
			grant.Caveats = append(grant.Caveats, c)
		}
		if name == "" && !expires {
			return misuse("a token without a name is temporary and must expire: give --ttl, --until or --name")
		}
		return connection.with(p, func(account *remote.Account) error {
			issue := account.Issue
			if name != "" {
				issue = func(ctx context.Context, g macaroon.Grant) (macaroon.Token, error) {
					return account.IssueNamed(ctx, name, g)
				}
			}
			token, err := issue(ctx, grant)
			if err == nil && len(foreign) > 0 {
				token, err = token.ConfineUnchecked(foreign...)
			}
			if err != nil {
				return err
			}
			p.warnAbout(token, 0)
			return p.printToken(token, *asJSON)
		})
	}
}
