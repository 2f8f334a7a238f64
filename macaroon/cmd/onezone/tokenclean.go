package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/duration"
	"github.com/onezone-go/onezone/macaroon/cmd/internal/tokeninfo"
)

// cleaning says which tokens to clean up, and how.
type cleaning struct {
	unused, user string
	tokeninfo.Cleaning
}

func (p *program) tokenCleanCommand() *cobra.Command {
	var order cleaning
	c := &cobra.Command{
		Use: "clean", Short: "Revoke or delete the named tokens that were not used for a time",
		Long: `Revokes the named tokens that were last used longer ago than --unused. A revoked token
can be restored. With --delete it deletes them instead, which cannot be undone.

Tokens without a recorded use are left alone, because they may be in use since before
uses were recorded. --never-used includes those that were created longer ago than
--unused: use it only if the service has recorded uses all that time.`,
		Example: `  onezone token clean --store sqlite:data/onezone.db --unused 90d --dry-run
  onezone token clean --store sqlite:data/onezone.db --unused 365d --delete --user alice --json`,
		Args: noArguments,
	}
	f := c.Flags()
	f.StringVar(&order.unused, "unused", "", "`DURATION` for which a token was not used, such as 90d; required")
	f.StringVar(&order.user, "user", "", "only tokens of the user with this `NAME` or id")
	f.BoolVar(&order.Never, "never-used", false, "also tokens without a recorded use")
	f.BoolVar(&order.Delete, "delete", false, "delete the tokens instead of revoking them")
	f.BoolVar(&order.DryRun, "dry-run", false, "only print what would be done")
	return p.administers(c, task{check: order.check, do: func(ctx context.Context, a administration, _ []string) error {
		list, err := a.clean(ctx, order)
		if err != nil && len(list) == 0 {
			return err
		}
		if p.asJSON {
			return errors.Join(err, p.printJSON(list))
		}
		for _, t := range list {
			err = errors.Join(err, p.say("%s", t))
		}
		if len(list) == 0 {
			err = p.say("no token was unused for %s", order.unused)
		}
		return err
	}})
}

func (o *cleaning) check() error {
	if d, err := duration.Parse(o.unused); err != nil || d <= 0 {
		return usageErrorf("onezone token clean needs --unused DURATION, such as 90d")
	}
	return nil
}

// clean cleans up the tokens of a checked order. With an error, it returns
// those that it had cleaned up before.
func (a administration) clean(ctx context.Context, o cleaning) ([]tokeninfo.Cleaned, error) {
	unused, err := a.tokens(ctx, tokenFilter{user: o.user, unused: o.unused})
	if err != nil {
		return nil, err
	}
	return o.Run(ctx, a, unused)
}
