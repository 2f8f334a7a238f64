package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/cmd/internal/tokeninfo"
	"github.com/onezone-go/onezone/macaroon/remote"
)

// recordCaveats returns a command that changes the caveats in the record of a
// named token.
func recordCaveats(name, done string, change func(*remote.Account, context.Context, string, ...caveat.Caveat) error) func(f *flags) action {
	return func(f *flags) action {
		var c chosen
		c.declare(f)
		var caveats []caveat.Caveat
		value(f, &caveats, "caveat", "CAVEAT", `a caveat such as "ip = 10.0.0.0/8"; may be repeated`, func(text string) ([]caveat.Caveat, error) {
			one, err := caveat.Parse(text)
			if err != nil {
				err = misuse(rightForm(text))
			}
			return append(slices.Clone(caveats), one), err
		})
		do := c.does(func(ctx context.Context, p process, account *remote.Account, id string) error {
			err := change(account, ctx, id, caveats...)
			if errors.Is(err, errors.IDForbidden) && name == "loosen" && c.connection.user == "" {
				err = fmt.Errorf("%w The token of a login has a caveat; give --user NAME to use the password", err)
			}
			if err != nil {
				return err
			}
			return c.say(p, done, id)
		})
		return func(ctx context.Context, p process, args []string) error {
			if len(caveats) == 0 {
				return misuse(name + " needs --caveat CAVEAT")
			}
			return do(ctx, p, args)
		}
	}
}

// say prints what was done to the token.
func (c *chosen) say(p process, done, id string) error {
	if *c.asJSON {
		return p.printJSON(map[string]string{"tokenId": id, "result": done})
	}
	return p.say("%s token %s", done, id)
}

// changer returns the action that changes a named token, and with --family all
// that were minted with it, too, if the function all is not nil. done is the past
// participle of the verb.
func changer(done, verb string, one, all func(*remote.Account, context.Context, string) error) func(f *flags) action {
	return func(f *flags) action {
		var c chosen
		c.declare(f)
		var family bool
		if all != nil {
			f.toggle(&family, "family", "also "+verb+" all named tokens that were minted with it")
		}
		return c.does(func(ctx context.Context, p process, account *remote.Account, id string) error {
			change := one
			if family {
				change = all
			}
			if err := change(account, ctx, id); err != nil {
				return err
			}
			return c.say(p, done, id)
		})
	}
}

// tree prints a named token and those that were minted with it.
func tree(f *flags) action {
	var c chosen
	c.declare(f)
	return c.does(func(ctx context.Context, p process, account *remote.Account, id string) error {
		r, err := account.Family(ctx, id)
		if err != nil {
			return err
		}
		family := tokeninfo.DescribeFamily(r)
		if *c.asJSON {
			return p.printJSON(family)
		}
		rows := [][]string{{"TOKEN", "ID", "TYPE", "STATE", "CREATED"}}
		for _, row := range family.Rows() {
			rows = append(rows, slices.Delete(row, 2, 3)) // the subject
		}
		return p.printTable(rows)
	})
}
