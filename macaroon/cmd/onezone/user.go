package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/onezone-go/onezone/caveat"
	onezoneerrors "github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
)

func (p *program) userCommand() *cobra.Command {
	c := group("user", "Manage users", p.userAddCommand(), p.userImportCommand(), p.userListCommand(), p.userShowCommand(),
		p.userPasswdCommand(), p.userRenameCommand(), p.userDeleteCommand(),
		p.userBlockCommand("block", "Block a user, so that tokens and password stop working", true),
		p.userBlockCommand("unblock", "Unblock a user", false),
		p.userRightCommand("grant", "granted to", "Grant an admin right to a user", (*macaroon.Authority).GrantRight),
		p.userRightCommand("withdraw", "withdrawn from", "Withdraw an admin right from a user", (*macaroon.Authority).WithdrawRight))
	c.Long = `Manages the users in the store. The service may run at the same time.

A user is given by user name, or by id if no user has that name. Passwords are
read from the terminal without showing them, or from the first line of standard
input; they are never arguments, which other users of the machine could read.
They are normalized by the OpaqueString profile of RFC 8265, so that all Unicode
forms of a password are equal. Control characters and unassigned characters are
rejected.`
	return c
}

// nameAlone accepts a name. It does not repeat a second argument, which is most
// likely the password.
func nameAlone(c *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usageErrorf("a password must not be an argument, because others on this machine can see it; run %s %s, "+
			"which reads it from the terminal or standard input", c.CommandPath(), args[0])
	}
	return arguments("NAME")(c, args)
}

// userResult is the result of a command about one user.
type userResult struct {
	ID       string `json:"userId"`
	Username string `json:"username"`
	Password string `json:"password,omitempty"` // generated
	subject  caveat.Subject
}

func (p *program) userAddCommand() *cobra.Command {
	var source passwordSource
	var fullName string
	c := &cobra.Command{
		Use: "add NAME", Short: "Create a user and print the id",
		Example: `  onezone user add --store sqlite:data/onezone.db --full-name "Alice Liddell" alice
  onezone user add --store sqlite:data/onezone.db --generate alice
  onezone user add --store sqlite:data/onezone.db alice < password.txt`,
		Args: nameAlone,
	}
	c.Flags().StringVar(&fullName, "full-name", "", "full `NAME` of the user")
	source.flags(c.Flags())
	return p.administers(c, task{creates: true, check: source.check, do: func(ctx context.Context, a administration, args []string) error {
		name := args[0]
		password, err := p.newPassword(source, name)
		if err != nil {
			return err
		}
		user, err := a.CreateUser(ctx, macaroon.NewUser{Username: name, FullName: fullName, Password: password})
		if errors.Is(err, onezoneerrors.IDBadValueIdentifierOccupied) {
			err = fmt.Errorf("the user name %q is taken; to change the password, run: onezone user passwd %s: %w", name, name, err)
		}
		if err != nil {
			return err
		}
		result := userResult{ID: user.ID, Username: name}
		if source.generate {
			result.Password = password
		}
		return p.printUser(result, "created user "+name+" with the id "+user.ID)
	}})
}

// printUser prints what was done to a user.
func (p *program) printUser(result userResult, done string) error {
	if result.Password != "" {
		done += ", password " + result.Password
	}
	return p.print(result, "%s", done)
}

// changesUser makes the command change the user that its first argument names.
// do returns what it did in words, and may complete the user for the output.
func (p *program) changesUser(c *cobra.Command, check func() error,
	do func(ctx context.Context, a administration, user *userResult, args []string) (done string, err error),
) *cobra.Command {
	return p.administers(c, task{check: check, do: func(ctx context.Context, a administration, args []string) error {
		user, err := find(ctx, a.store, args[0])
		if err != nil {
			return err
		}
		result := userResult{ID: user.ID, Username: args[0], subject: user}
		done, err := do(ctx, a, &result, args)
		if err != nil {
			return err
		}
		return p.printUser(result, done)
	}})
}

func (p *program) userPasswdCommand() *cobra.Command {
	var source passwordSource
	c := &cobra.Command{
		Use: "passwd NAME", Short: "Give a user a new password",
		Example: `  onezone user passwd --store sqlite:data/onezone.db alice
  onezone user passwd --store sqlite:data/onezone.db alice < password.txt
  onezone user passwd --store sqlite:data/onezone.db --generate alice`,
		Args: nameAlone,
	}
	source.flags(c.Flags())
	return p.changesUser(c, source.check, func(ctx context.Context, a administration, user *userResult, args []string) (string, error) {
		password, err := p.newPassword(source, args[0])
		if err != nil {
			return "", err
		}
		if source.generate {
			user.Password = password
		}
		return "changed the password of user " + args[0], a.SetPassword(ctx, user.subject, password)
	})
}

func (p *program) userRenameCommand() *cobra.Command {
	var fullName string
	c := &cobra.Command{
		Use: "rename NAME NEW-NAME", Short: "Change the user name, the full name or both",
		Long: `Changes the user name with which a user logs in. To change the full name alone,
give the user name twice.`,
		Example: `  onezone user rename --store sqlite:data/onezone.db alice alicia
  onezone user rename --store sqlite:data/onezone.db --full-name "Alicia Liddell" alice alice`,
		Args: arguments("NAME", "NEW-NAME"),
	}
	c.Flags().StringVar(&fullName, "full-name", "", "new full `NAME` of the user")
	return p.changesUser(c, nil, func(ctx context.Context, a administration, user *userResult, args []string) (_ string, err error) {
		if args[1] != args[0] {
			err = a.SetUsername(ctx, user.subject, args[1])
		}
		if err == nil && fullName != "" {
			err = a.SetFullName(ctx, user.subject, fullName)
		}
		user.Username = args[1]
		return "renamed user " + args[0] + " to " + args[1], err
	})
}

func (p *program) userDeleteCommand() *cobra.Command {
	return p.changesUser(&cobra.Command{
		Use: "delete NAME", Short: "Delete a user and all tokens of the user",
		Long: `Deletes a user, all named tokens of the user and the secret of the temporary
tokens. No token of the user works afterwards. It cannot be undone; see
"onezone user block" for what can.`,
		Example: "  onezone user delete --store sqlite:data/onezone.db alice",
		Args:    arguments("NAME"),
	}, nil, func(ctx context.Context, a administration, user *userResult, args []string) (string, error) {
		return "deleted user " + args[0], a.DeleteUser(ctx, user.subject)
	})
}

func (p *program) userBlockCommand(use, short string, blocked bool) *cobra.Command {
	return p.changesUser(&cobra.Command{
		Use: use + " NAME", Short: short,
		Example: "  onezone user " + use + " --store sqlite:data/onezone.db alice",
		Args:    arguments("NAME"),
	}, nil, func(ctx context.Context, a administration, user *userResult, args []string) (string, error) {
		return use + "ed user " + args[0], a.SetBlocked(ctx, user.subject, blocked)
	})
}
