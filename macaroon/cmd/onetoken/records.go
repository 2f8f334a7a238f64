package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"golang.org/x/sync/errgroup" // bounded concurrency with the first error

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/cmd/internal/tokeninfo"
	"github.com/onezone-go/onezone/macaroon/remote"
)

// parallelGets is how many records are asked for at a time.
const parallelGets = 4

// listTokens lists the named tokens of the user.
func listTokens(f *flags) action {
	var connection connectionFlags
	connection.declareCredentials(f)
	asJSON := f.json("the tokens")
	return func(ctx context.Context, p process, _ []string) error {
		return connection.with(p, func(account *remote.Account) error {
			records, err := allRecords(ctx, account)
			if err != nil {
				return err
			}
			if *asJSON {
				return p.printJSON(records)
			}
			return p.printTable(tableOf(records))
		})
	}
}

// tableOf returns the rows of a table. It has the last uses if the Onezone
// records them.
func tableOf(records []tokeninfo.Token) [][]string {
	used := slices.ContainsFunc(records, func(r tokeninfo.Token) bool { return r.Named().LastUse != nil })
	row := func(first []string, lastUse string, last ...string) []string {
		if used {
			first = append(first, lastUse)
		}
		return append(first, last...)
	}
	rows := [][]string{row([]string{"ID", "NAME", "TYPE", "STATE", "CREATED"}, "LAST USE", "EXPIRES", "CAVEATS")}
	for _, r := range records {
		rows = append(rows, row([]string{r.ID, r.Name, r.Type, r.State, tokeninfo.Moment(r.Created)}, r.Used(), r.Expiry(), r.AllCaveats()))
	}
	return rows
}

// allRecords returns the named tokens of the user, the oldest first.
func allRecords(ctx context.Context, account *remote.Account) ([]tokeninfo.Token, error) {
	ids, err := account.IDs(ctx, caveat.Subject{})
	if err != nil {
		return nil, err
	}
	found := make([]*tokeninfo.Token, len(ids))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelGets)
	for i, id := range ids {
		group.Go(func() error {
			n, err := account.Get(ctx, id)
			if errors.Is(err, errors.IDNotFound) || errors.Is(err, errors.IDForbidden) {
				return nil // deleted since; Onezone does not say which of them
			}
			if err == nil {
				r := tokeninfo.Describe(n, time.Now())
				found[i] = &r
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	records := []tokeninfo.Token{}
	for _, r := range found {
		if r != nil {
			records = append(records, *r)
		}
	}
	return records, nil
}

// chosen is a named token of the user: the argument is its id, or --name gives
// its name.
type chosen struct {
	connection connectionFlags
	name       string
	asJSON     *bool
}

func (c *chosen) declare(f *flags) {
	c.connection.declareCredentials(f)
	value(f, &c.name, "name", "NAME", "the name of the token, instead of its id", verbatim)
	c.asJSON = f.json("the result")
}

// tokenID matches the ids that an Onezone gives to tokens.
var tokenID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// does returns an action on the id of the token.
func (c *chosen) does(do func(ctx context.Context, p process, account *remote.Account, id string) error) action {
	return func(ctx context.Context, p process, args []string) error {
		if given := len(args) == 1 && args[0] != ""; given == (c.name != "") || len(args) > 1 {
			return misuse("give the id of one token, or its name with --name; onetoken list shows them")
		}
		return c.connection.with(p, func(account *remote.Account) error {
			if c.name == "" {
				err := do(ctx, p, account, args[0])
				if !tokenID.MatchString(args[0]) && (errors.Is(err, errors.IDForbidden) || errors.Is(err, errors.IDNotFound)) {
					err = fmt.Errorf("%w The argument is no id of a token; give a name with --name", err)
				}
				return err
			}
			n, err := account.GetByName(ctx, caveat.Subject{}, c.name)
			if errors.Is(err, errors.IDNotFound) {
				err = fmt.Errorf("%w You have no token with this name; onetoken list shows those that you have", err)
			}
			if err != nil {
				return err
			}
			return do(ctx, p, account, n.ID())
		})
	}
}

// show prints a named token without its text.
func show(f *flags) action {
	var c chosen
	c.declare(f)
	return c.does(func(ctx context.Context, p process, account *remote.Account, id string) error {
		n, err := account.Get(ctx, id)
		if err != nil {
			return err
		}
		r := tokeninfo.Describe(n, time.Now())
		if *c.asJSON {
			return p.printJSON(r)
		}
		first := [][]string{
			{"id", r.ID}, {"name", r.Name}, {"subject", r.Subject}, {"type", n.Type().Describe()}, {"state", r.State},
			{"created", tokeninfo.Moment(r.Created)}, {"expires", r.Expiry()},
		}
		if n.LastUse != nil {
			first = append(first, []string{"last use", r.DescribeUse()})
		}
		return p.printTable(r.Fields(first...))
	})
}
