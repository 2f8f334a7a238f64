package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup" // bounded concurrency with the first error

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/remote"
)

// record describes a named token in JSON, with the fields of the command
// onezone token. It never contains its text.
type record struct {
	ID      string   `json:"tokenId"`
	Name    string   `json:"name"`
	Subject string   `json:"subject"` // such as usr-ID
	Type    string   `json:"type"`    // access, identity or invite
	State   string   `json:"state"`   // active, revoked or expired
	Caveats []string `json:"caveats"`
	Created int64    `json:"creationTime"`         // Unix seconds
	Expires *int64   `json:"validUntil,omitempty"` // Unix seconds; nil: never
	LastUse *useInfo `json:"lastUse,omitempty"`    // nil: none was recorded
	Parent  string   `json:"parentTokenId,omitempty"`
	Added   []string `json:"serverCaveats,omitempty"` // caveats that the owner added

	named macaroon.Named
}

// useInfo describes the last use of a token in JSON.
type useInfo struct {
	Time      int64  `json:"time"`              // Unix seconds, of the minute
	Address   string `json:"address,omitempty"` // or network
	Service   string `json:"service,omitempty"`
	Interface string `json:"interface,omitempty"`
	Count     int64  `json:"count"`
}

func describeRecord(n macaroon.Named, now time.Time) record {
	r := record{
		ID: n.ID(), Name: n.Name, Subject: n.Subject.String(), Type: n.Type().Class().String(), State: "active",
		Caveats: append([]string{}, n.Caveats()...), Created: n.Created.Unix(), named: n,
	}
	r.Parent = n.Parent
	for _, a := range n.Tightened {
		r.Added = append(r.Added, a.Text)
	}
	if u := n.LastUse; u != nil && !u.IsZero() {
		r.LastUse = &useInfo{u.At, u.Address, u.Service, u.Interface, u.Count}
	}
	if until, ok := n.Expiry(); ok {
		r.Expires = &until
		if now.Unix() >= until {
			r.State = "expired"
		}
	}
	if n.Revoked {
		r.State = "revoked"
	}
	return r
}

// expiry returns the time of expiry, "never" if there is none.
func (r record) expiry() string {
	if r.Expires == nil {
		return "never"
	}
	return moment(*r.Expires)
}

// allCaveats returns the caveats of the token and those that the owner added.
func (r record) allCaveats() string {
	all := slices.Clone(r.Caveats)
	for _, each := range r.Added {
		all = append(all, each+" (added)")
	}
	return strings.Join(all, "; ")
}

// lastUse returns the time of the last use, "none" if none was recorded.
func (r record) lastUse() string {
	if r.LastUse == nil {
		return "none"
	}
	return moment(r.LastUse.Time)
}

// describeUse returns what is known of the last use.
func (r record) describeUse() string {
	text := r.lastUse()
	if r.LastUse == nil {
		return text
	}
	for _, part := range []struct{ word, value string }{
		{" from ", r.LastUse.Address}, {" at ", r.LastUse.Service}, {" by ", r.LastUse.Interface},
	} {
		if part.value != "" {
			text += part.word + part.value
		}
	}
	return fmt.Sprintf("%s, %d in all", text, r.LastUse.Count)
}

// parallelGets is how many records are asked for at a time.
const parallelGets = 4

// listTokens lists the named tokens of the user.
func listTokens(f *flags) action {
	var connection connectionFlags
	connection.declareCredentials(f)
	asJSON := f.json("the tokens")
	return func(ctx context.Context, p process, args []string) error {
		if len(args) > 0 {
			return misuse("list takes flags only")
		}
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
func tableOf(records []record) [][]string {
	used := slices.ContainsFunc(records, func(r record) bool { return r.named.LastUse != nil })
	row := func(first []string, lastUse string, last ...string) []string {
		if used {
			first = append(first, lastUse)
		}
		return append(first, last...)
	}
	rows := [][]string{row([]string{"ID", "NAME", "TYPE", "STATE", "CREATED"}, "LAST USE", "EXPIRES", "CAVEATS")}
	for _, r := range records {
		rows = append(rows, row([]string{r.ID, r.Name, r.Type, r.State, moment(r.Created)}, r.lastUse(), r.expiry(), r.allCaveats()))
	}
	return rows
}

// allRecords returns the named tokens of the user, the oldest first.
func allRecords(ctx context.Context, account *remote.Account) ([]record, error) {
	ids, err := account.IDs(ctx, caveat.Subject{})
	if err != nil {
		return nil, err
	}
	found := make([]*record, len(ids))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelGets)
	for i, id := range ids {
		group.Go(func() error {
			n, err := account.Get(ctx, id)
			if errors.Is(err, errors.IDNotFound) || errors.Is(err, errors.IDForbidden) {
				return nil // deleted since; Onezone does not say which of them
			}
			if err == nil {
				r := describeRecord(n, time.Now())
				found[i] = &r
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	records := []record{}
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
		r := describeRecord(n, time.Now())
		if *c.asJSON {
			return p.printJSON(r)
		}
		rows := [][]string{
			{"id", r.ID}, {"name", r.Name}, {"subject", r.Subject}, {"type", n.Type().Describe()}, {"state", r.State},
			{"created", moment(r.Created)}, {"expires", r.expiry()},
		}
		if n.LastUse != nil {
			rows = append(rows, []string{"last use", r.describeUse()})
		}
		for _, each := range r.Caveats {
			rows = append(rows, []string{"caveat", each})
		}
		for _, a := range n.Tightened {
			rows = append(rows, []string{"added on " + a.Added.Format(time.DateOnly), a.Text})
		}
		if r.Parent != "" {
			rows = append(rows, []string{"minted with", r.Parent})
		}
		return p.printTable(rows)
	})
}

// changer returns a command that changes a named token.
func changer(done string, change func(*remote.Account, context.Context, string) error) func(f *flags) action {
	return func(f *flags) action {
		var c chosen
		c.declare(f)
		return c.does(func(ctx context.Context, p process, account *remote.Account, id string) error {
			if err := change(account, ctx, id); err != nil {
				return err
			}
			return c.say(p, done, id)
		})
	}
}
