package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	onezoneerrors "github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
)

func (p *program) userImportCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "import FILE", Short: "Create many users from CSV or JSON lines, all or none",
		Long: `Creates all users of a file, or none. Every line is checked before anything is
written; if some are wrong, each of them is reported and the store does not
change. Hashing the passwords takes about a tenth of a second per user and CPU.

The file is CSV whose first line is "username,fullName,password", or has one JSON
object with these keys on each line. Each line is one user, also in CSV. Only the
user name is required; a user without a password cannot log in with one. FILE may
be - for standard input. Only the owner should be able to read the file. The
output has the new ids.`,
		Example: `  onezone user import --store sqlite:data/onezone.db users.csv
  onezone user import --store sqlite:data/onezone.db --json - < users.jsonl`,
		Args: arguments("FILE"),
	}
	return p.administers(c, task{creates: true, do: func(ctx context.Context, a administration, args []string) error {
		users, wrong, err := p.readUsers(args[0])
		if err != nil {
			return err
		}
		if err := checkImport(ctx, a, args[0], users, wrong); err != nil {
			return err
		}
		show, end := p.progress("hashing passwords")
		subjects, err := a.CreateUsers(ctx, newUsers(users), func(done int) { show(int64(done), int64(len(users))) })
		end()
		if err != nil {
			return err
		}
		results := make([]userResult, len(users))
		for i, u := range users {
			results[i] = userResult{ID: subjects[i].ID, Username: u.Username}
		}
		return printList(p, results, []string{"ID", "NAME"}, func(u userResult) []string { return []string{u.ID, u.Username} })
	}})
}

// userLine is a line with a user.
type userLine struct {
	line int
	macaroon.NewUser
}

func newUsers(lines []userLine) []macaroon.NewUser {
	users := make([]macaroon.NewUser, len(lines))
	for i, each := range lines {
		users[i] = each.NewUser
	}
	return users
}

// refusedLine is a line without a user that can be created.
type refusedLine struct {
	line int
	err  error
}

// checkImport returns an error with all lines that cannot be imported, in their
// order: those that were refused when they were read, and those of users that
// cannot be created.
func checkImport(ctx context.Context, a administration, file string, users []userLine, refused []refusedLine) error {
	err := a.CheckUsers(ctx, newUsers(users))
	joined, ok := err.(interface{ Unwrap() []error })
	if err != nil && !ok {
		return err
	}
	if ok {
		for _, each := range joined.Unwrap() {
			if u, ok := onezoneerrors.AsType[*macaroon.UserError](each); ok {
				refused = append(refused, refusedLine{users[u.Index].line, fmt.Errorf("user %q: %w", users[u.Index].Username, u.Err)})
			}
		}
	}
	if len(refused) == 0 {
		return nil
	}
	slices.SortFunc(refused, func(x, y refusedLine) int { return cmp.Compare(x.line, y.line) })
	var errs []error
	for _, each := range refused {
		errs = append(errs, fmt.Errorf("%s, line %d: %w", file, each.line, each.err))
	}
	return errors.Join(append(errs, fmt.Errorf(
		"no user was imported: correct the lines above (%d) and import the file again", len(refused)))...)
}
