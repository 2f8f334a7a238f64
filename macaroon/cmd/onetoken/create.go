package main

import (
	"context"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/remote"
)

// create creates a token at the Onezone, and prints it.
func create(f *flags) action {
	var connection connectionFlags
	connection.declareCredentials(f)
	var added caveatFlags
	added.declare(f)
	var name string
	value(f, &name, "name", "NAME", "the name of the token; without a name it is a temporary token", verbatim)
	typ := macaroon.AccessToken()
	value(f, &typ, "type", "TYPE", "act or access (the default), idn or identity, or an invitation CODE:TARGET: such as ujg:GROUP:", parseType)
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
