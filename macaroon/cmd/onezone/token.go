package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/onezone-go/onezone/caveat"
	onezoneerrors "github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/duration"
	"github.com/onezone-go/onezone/macaroon"
)

func (p *program) tokenCommand() *cobra.Command {
	c := group("token", "Manage tokens of any user", p.tokenIssueCommand(), p.tokenListCommand(), p.tokenShowCommand(),
		p.tokenRevokeCommand(),
		p.tokenChangeCommand("restore", "restored", "Make a revoked token work again", nil, (*macaroon.Authority).Restore),
		p.tokenDeleteCommand(), p.tokenTreeCommand(), p.tokenBaitCommand(),
		p.tokenCaveatsCommand("tighten", "tightened", "Add caveats to a named token that was issued before", tightenHelp, (*macaroon.Authority).Tighten),
		p.tokenCaveatsCommand("loosen", "loosened", "Remove caveats that were added to a named token", loosenHelp, (*macaroon.Authority).Loosen),
		p.tokenCleanCommand())
	c.Long = `Manages the named tokens in the store, of any user. A token is given by its id. The
service may run at the same time; it notices changes at once, or if the feed of
changes is down, within 2 seconds.`
	return c
}

// issueOrder is what to issue.
type issueOrder struct {
	user     string // or
	provider string
	name     string // "" for a temporary token
	kind     string
	ttl      string
	caveats  []string
	bait     string
}

func (p *program) tokenIssueCommand() *cobra.Command {
	var order issueOrder
	c := &cobra.Command{
		Use: "issue", Short: "Issue a token on behalf of a user or Oneprovider, and print it",
		Long: `Issues a token and prints its text. With --name it is a named token, which can be
listed and revoked. Without, it is a temporary token, which needs --ttl or a time
caveat.`,
		Example: `  onezone token issue --store sqlite:data/onezone.db --user alice --name laptop --json
  onezone token issue --store sqlite:data/onezone.db --user alice --ttl 1h --caveat "ip = 10.0.0.0/8"
  onezone token issue --store sqlite:data/onezone.db --provider lyon-1 --name worker --type identity`,
		Args: noArguments,
	}
	f := c.Flags()
	order.kind = "access"
	f.StringVar(&order.user, "user", "", "`NAME` or id of the user")
	f.StringVar(&order.provider, "provider", "", "`ID` of a Oneprovider, instead of a user")
	f.StringVar(&order.name, "name", "", "`NAME` of the token; without a name it is a temporary token")
	f.Var(oneOf(&order.kind, "access", "identity"), "type", "`TYPE` of the token: access or identity")
	f.StringVar(&order.ttl, "ttl", "", "`DURATION` until the token expires, such as 1h or 30d")
	f.StringArrayVar(&order.caveats, "caveat", nil, "`CAVEAT` that confines the token, such as \"ip = 10.0.0.0/8\"; may be repeated")
	order.bait = "none"
	baitFlag(c, &order.bait)
	return p.administers(c, task{issues: true, check: order.check, do: func(ctx context.Context, a administration, _ []string) error {
		t, err := a.issue(ctx, order)
		if err != nil {
			return err
		}
		return p.print(map[string]string{"tokenId": t.ID(), "token": t.String()}, "%s", t.String())
	}})
}

func (o *issueOrder) check() error {
	if (o.user == "") == (o.provider == "") {
		return usageErrorf("onezone token issue needs either --user NAME or --provider ID")
	}
	if o.ttl != "" {
		if ttl, err := duration.Parse(o.ttl); err != nil || ttl <= 0 {
			return usageErrorf("%q for flag --ttl: want a number with a unit, such as 1h or 30d", o.ttl)
		}
	}
	_, err := parseCaveats(o.caveats)
	return err
}

// issue issues the token of a checked order.
func (a administration) issue(ctx context.Context, o issueOrder) (macaroon.Token, error) {
	subject := caveat.Provider(o.provider)
	if o.user != "" {
		var err error
		if subject, err = find(ctx, a.store, o.user); err != nil {
			return macaroon.Token{}, err
		}
	}
	g := macaroon.Grant{Subject: subject, Type: macaroon.AccessToken()}
	if o.kind == "identity" {
		g.Type = macaroon.IdentityToken()
	}
	if o.ttl != "" {
		ttl, _ := duration.Parse(o.ttl)
		g.Caveats = append(g.Caveats, caveat.Until(a.Now().Add(ttl)))
	}
	cs, err := parseCaveats(o.caveats)
	if err != nil {
		return macaroon.Token{}, err
	}
	g.Caveats = append(g.Caveats, cs...)
	g.Bait = baits[o.bait]
	if o.name == "" {
		t, err := a.Issue(ctx, g)
		if errors.Is(err, onezoneerrors.IDTokenTimeCaveatRequired) {
			err = fmt.Errorf("give --name for a named token, or --ttl for a temporary one: %w", err)
		}
		return t, err
	}
	t, err := a.IssueNamed(ctx, o.name, g)
	if errors.Is(err, onezoneerrors.IDBadValueIdentifierOccupied) {
		err = fmt.Errorf("%s has a token with the name %q: %w", cmp.Or(o.user, o.provider), o.name, err)
	}
	return t, err
}

// tokenChangeCommand returns a command that changes one named token. check is of
// the flags that the caller adds; it may be nil.
func (p *program) tokenChangeCommand(use, done, short string,
	check func() error, change func(a *macaroon.Authority, ctx context.Context, id string) error,
) *cobra.Command {
	c := &cobra.Command{
		Use: use + " ID", Short: short,
		Example: "  onezone token " + use + " --store sqlite:data/onezone.db 5f3a1c0e9d8b47f2a6c4e1d2b3a4958f",
		Args:    arguments("ID"),
	}
	return p.administers(c, task{check: check, do: func(ctx context.Context, a administration, args []string) error {
		if err := change(a.Authority, ctx, args[0]); err != nil {
			return fmt.Errorf("token %s: %w", args[0], noToken(args[0], err))
		}
		return p.printChanged("tokenId", "token", args[0], done)
	}})
}
