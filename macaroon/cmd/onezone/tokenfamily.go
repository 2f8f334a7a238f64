package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onezone-go/onezone/caveat"
	onezoneerrors "github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/cmd/internal/tokeninfo"
	"github.com/onezone-go/onezone/store"
)

// The values of --children.
const (
	childrenKeep   = "keep"
	childrenRevoke = "revoke"
	childrenDelete = "delete"
)

// tokenRevokeCommand returns the command that revokes a token, and with
// --family all that were minted with it.
func (p *program) tokenRevokeCommand() *cobra.Command {
	var family bool
	c := p.tokenChangeCommand("revoke", "revoked", "Revoke a named token and all copies of it", nil,
		func(a *macaroon.Authority, ctx context.Context, id string) error {
			if family {
				return a.RevokeFamily(ctx, id)
			}
			return a.Revoke(ctx, id)
		})
	c.Flags().BoolVar(&family, "family", false, "also revoke all named tokens that were minted with it")
	return c
}

// tokenDeleteCommand returns the command that deletes a token.
func (p *program) tokenDeleteCommand() *cobra.Command {
	children := childrenKeep
	c := p.tokenChangeCommand("delete", "deleted", "Delete a named token, which cannot be undone", nil,
		func(a *macaroon.Authority, ctx context.Context, id string) error {
			switch children {
			case childrenDelete:
				return a.DeleteFamily(ctx, id)
			case childrenRevoke:
				if err := a.RevokeFamily(ctx, id); err != nil {
					return err
				}
			}
			return a.Delete(ctx, id)
		})
	c.Flags().Var(oneOf(&children, childrenKeep, childrenRevoke, childrenDelete), "children",
		"what to `DO` with named tokens that were minted with it: keep, revoke or delete")
	return c
}

const (
	tightenHelp = `Adds caveats to the record of a named token. The text of the token stays the same;
from then on, the service holds the token and all its copies to these caveats, too.
"onezone token loosen" removes them. "onezone token show" lists them.`
	loosenHelp = `Removes caveats that "onezone token tighten" or the owner added to the record of a
named token. Those with which the token was issued are part of its text and stay.`
)

// tokenCaveatsCommand returns a command that changes the caveats in the record
// of a token.
func (p *program) tokenCaveatsCommand(use, done, short, long string,
	change func(*macaroon.Authority, context.Context, string, ...caveat.Caveat) error,
) *cobra.Command {
	var caveats []string
	check := func() error {
		if len(caveats) == 0 {
			return usageErrorf("onezone token %s needs --caveat CAVEAT", use)
		}
		_, err := parseCaveats(caveats)
		return err
	}
	c := p.tokenChangeCommand(use, done, short, check, func(a *macaroon.Authority, ctx context.Context, id string) error {
		cs, err := parseCaveats(caveats)
		if err == nil {
			err = change(a, ctx, id, cs...)
		}
		return err
	})
	c.Long = long
	c.Example += ` --caveat "ip = 10.0.0.0/8"`
	c.Flags().StringArrayVar(&caveats, "caveat", nil, "`CAVEAT`, such as \"ip = 10.0.0.0/8\"; may be repeated")
	return c
}

// parseCaveats parses the values of --caveat.
func parseCaveats(texts []string) (cs []caveat.Caveat, err error) {
	for _, text := range texts {
		c, err := caveat.Parse(text)
		if err != nil {
			_, form, _ := strings.Cut(onezoneerrors.From(caveat.Validate(c)).Description, "; ")
			return nil, usageErrorf("%q for flag --caveat: want the text of a caveat, such as \"ip = 10.0.0.0/8\" or \"time < 1798761600\"; %s",
				text, strings.TrimSuffix(form, "."))
		}
		cs = append(cs, c)
	}
	return cs, nil
}

// The values of --bait.
var baits = map[string]store.Bait{"none": 0, "alarm": store.BaitAlarm, "revoke-family": store.BaitRevokesFamily}

func baitFlag(c *cobra.Command, bait *string) {
	c.Flags().Var(oneOf(bait, "none", "alarm", "revoke-family"), "bait",
		"whether the token is a canary: its use raises an `ALARM` (alarm), and also revokes its family (revoke-family), or none")
}

// baitName returns the value of --bait for a token.
func baitName(bait store.Bait) string {
	for name, b := range baits {
		if b == bait {
			return name
		}
	}
	return ""
}

// tokenBaitCommand returns the command that makes a token a canary or an
// ordinary token again.
func (p *program) tokenBaitCommand() *cobra.Command {
	bait := "alarm"
	c := p.tokenChangeCommand("bait", "changed", "Make a named token a canary, which nobody should use, or an ordinary one again", nil,
		func(a *macaroon.Authority, ctx context.Context, id string) error {
			return a.Update(ctx, id, macaroon.Change{Bait: new(baits[bait])})
		})
	c.Long = `Makes a named token a canary. A client that presents it, or a copy of it, gets the
answer of a revoked token. The use raises an alarm: an event "baitUsed" in the log, and the
metric onezone_tokens_bait_used_total, at most once a minute for each canary.
--bait none makes it an ordinary token again.`
	baitFlag(c, &bait)
	return c
}

// tokenTreeCommand returns the command that prints the family of a token.
func (p *program) tokenTreeCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "tree ID", Short: "Show a named token and the named tokens that were minted with it",
		Long: `Prints the named token and all that were minted with it, or with a token that was
minted with it. "onezone token revoke --family" revokes them together.`,
		Example: "  onezone token tree --store sqlite:data/onezone.db 5f3a1c0e9d8b47f2a6c4e1d2b3a4958f",
		Args:    arguments("ID"),
	}
	return p.administers(c, task{do: func(ctx context.Context, a administration, args []string) error {
		r, err := a.Family(ctx, args[0])
		if err != nil {
			return fmt.Errorf("token %s: %w", args[0], noToken(args[0], err))
		}
		family := tokeninfo.DescribeFamily(r)
		return p.printTable(family, []string{"TOKEN", "ID", "SUBJECT", "TYPE", "STATE", "CREATED"}, family.Rows())
	}})
}
