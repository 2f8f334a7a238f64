package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
)

// adminRights implements [rest.Rights] with the admin rights of users.
type adminRights struct {
	memberships
	authority *macaroon.Authority
}

// ManagesTokens implements [rest.Rights].
func (r adminRights) ManagesTokens(ctx context.Context, user caveat.Subject) (bool, error) {
	return r.authority.HasRight(ctx, user, macaroon.RightManageTokens)
}

// UpdatesCluster implements [rest.Rights].
func (adminRights) UpdatesCluster(context.Context, caveat.Subject, string) (bool, error) {
	return false, nil
}

// userRightCommand returns a command that grants or withdraws a right.
func (p *program) userRightCommand(use, done, short string,
	change func(*macaroon.Authority, context.Context, caveat.Subject, string) error,
) *cobra.Command {
	c := &cobra.Command{
		Use: use + " NAME RIGHT", Short: short,
		Long: short + `. A user with ` + macaroon.RightManageTokens + ` may see, create, change and revoke
the tokens of all users with the API. It takes effect at once. The other rights
are about invitations, which the service does not accept.

The rights are ` + strings.Join(macaroon.AdminRights(), ",\n") + ".",
		Example:   "  onezone user " + use + " --store sqlite:data/onezone.db alice " + macaroon.RightManageTokens,
		Args:      arguments("NAME", "RIGHT"),
		ValidArgs: macaroon.AdminRights(),
	}
	return p.changesUser(c, nil, func(ctx context.Context, a administration, user *userResult, args []string) (string, error) {
		err := change(a.Authority, ctx, user.subject, args[1])
		if errors.Is(err, errors.IDBadValueNotAllowed) {
			err = usageErrorf("unknown right %q%s; onezone user %s --help lists all rights",
				args[1], didYouMean(args[1], macaroon.AdminRights()), use)
		}
		return done + " " + args[0] + ": " + args[1], err
	})
}
