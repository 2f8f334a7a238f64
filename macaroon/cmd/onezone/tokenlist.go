package main

import (
	"cmp"
	"context"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/duration"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/cmd/internal/tokeninfo"
	"github.com/onezone-go/onezone/store"
)

// tokenFilter selects named tokens.
type tokenFilter struct {
	user, state, kind, before, after, unused string
}

func (o *tokenFilter) flags(f *pflag.FlagSet) {
	f.StringVar(&o.user, "user", "", "only tokens of the user with this `NAME` or id")
	f.Var(oneOf(&o.state, tokeninfo.Active, tokeninfo.Revoked, tokeninfo.Expired), "state", "only tokens in the `STATE` active, revoked or expired")
	f.Var(oneOf(&o.kind, macaroon.Access.String(), macaroon.Identity.String(), macaroon.Invite.String()), "type", "only tokens of the `TYPE` access, identity or invite")
	f.StringVar(&o.before, "expires-before", "", "only tokens that expire before `TIME`: a date, an RFC 3339 time, or a duration from now such as 30d")
	f.StringVar(&o.after, "expires-after", "", "only tokens that expire at or after `TIME`, or never")
	f.StringVar(&o.unused, "unused-since", "", "only tokens created before `TIME` and not used since, as far as uses were recorded: a date, an RFC 3339 time, or a duration before now such as 90d")
}

// moments are the times of a filter, zero for none.
type moments struct{ before, after, unused time.Time }

func (o *tokenFilter) moments(now time.Time) (m moments, err error) {
	for _, each := range []struct {
		flag, text string
		future     bool // a duration is from now on
		at         *time.Time
	}{
		{"expires-before", o.before, true, &m.before},
		{"expires-after", o.after, true, &m.after},
		{"unused-since", o.unused, false, &m.unused},
	} {
		if *each.at, err = parseMoment(each.text, now, each.future); err != nil {
			return moments{}, usageErrorf("%q for flag --%s: %w", each.text, each.flag, err)
		}
	}
	return m, nil
}

func (o *tokenFilter) check() error {
	_, err := o.moments(time.Now())
	return err
}

// parseMoment returns the zero time for "".
func parseMoment(text string, now time.Time, future bool) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := duration.Parse(text); err == nil {
		if !future {
			d = -d
		}
		return now.Add(d), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, wantError("a date such as 2026-12-24, a time such as 2026-12-24T18:00:00Z, or a duration such as 30d")
}

// selects reports whether the filter selects the token, apart from its user and
// uses.
func (o *tokenFilter) selects(t tokeninfo.Token, m moments) bool {
	switch {
	case o.state != "" && t.State != o.state, o.kind != "" && t.Type != o.kind:
		return false
	case !m.before.IsZero() && (t.Expires == nil || *t.Expires >= m.before.Unix()):
		return false
	case !m.after.IsZero() && t.Expires != nil && *t.Expires < m.after.Unix():
		return false
	}
	return true
}

func (p *program) tokenListCommand() *cobra.Command {
	var filter tokenFilter
	c := &cobra.Command{
		Use: "list", Short: "List named tokens, the oldest first",
		Example: `  onezone token list --store sqlite:data/onezone.db --user alice --json
  onezone token list --store sqlite:data/onezone.db --state active --expires-before 30d`,
		Args: noArguments,
	}
	filter.flags(c.Flags())
	return p.administers(c, task{check: filter.check, do: func(ctx context.Context, a administration, _ []string) error {
		list, err := a.tokens(ctx, filter)
		if err != nil {
			return err
		}
		header := []string{"ID", "NAME", "USER", "TYPE", "STATE", "CREATED", "LAST USE", "EXPIRES", "CAVEATS"}
		return printList(p, list, header, func(t tokeninfo.Token) []string {
			return []string{t.ID, t.Name, cmp.Or(t.Username, t.Subject), t.Type, t.State, tokeninfo.Moment(t.Created), t.Used(), t.Expiry(), t.AllCaveats()}
		})
	}})
}

// addLastUses sets the last uses of the tokens.
func (a administration) addLastUses(ctx context.Context, page []macaroon.Named) error {
	ids := make([]string, len(page))
	for i, n := range page {
		ids[i] = n.ID()
	}
	uses, err := a.LastUses(ctx, ids...)
	for i := range uses {
		page[i].LastUse = &uses[i]
	}
	return err
}

// describeToken returns the description of a token, without the user name.
func describeToken(n macaroon.Named, now time.Time) tokeninfo.Token {
	info := tokeninfo.Describe(n, now)
	if n.Bait != 0 {
		info.Bait = baitName(n.Bait)
	}
	return info
}

// tokens returns the tokens that the filter selects.
func (a administration) tokens(ctx context.Context, filter tokenFilter) ([]tokeninfo.Token, error) {
	m, err := filter.moments(a.Now())
	if err != nil {
		return nil, err
	}
	q := store.Query{Limit: store.MaxPage}
	if filter.user != "" {
		if q.Subject, err = find(ctx, a.store, filter.user); err != nil {
			return nil, err
		}
	}
	names := usernames{}
	list := []tokeninfo.Token{}
	for {
		page, next, err := a.List(ctx, q)
		if err != nil {
			return nil, err
		}
		if err := a.addLastUses(ctx, page); err != nil {
			return nil, err
		}
		for _, n := range page {
			info := describeToken(n, a.Now())
			if !filter.selects(info, m) || !m.unused.IsZero() && !n.UnusedSince(m.unused) {
				continue
			}
			if info.Username, err = names.of(ctx, a.store, n.Subject); err != nil {
				return nil, err
			}
			list = append(list, info)
		}
		if q.After = next; next.IsZero() {
			return list, nil
		}
	}
}

// usernames are the names of subjects that were looked up.
type usernames map[caveat.Subject]string

// of returns the user name of the subject, "" if it has none.
func (u usernames) of(ctx context.Context, users store.Identities, s caveat.Subject) (string, error) {
	if name, known := u[s]; known {
		return name, nil
	}
	i, err := users.GetIdentity(ctx, s)
	if err != nil && !errors.Is(err, errors.IDNotFound) {
		return "", err
	}
	u[s] = i.Username
	return i.Username, nil
}

func (p *program) tokenShowCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "show ID", Short: "Show a named token without its text",
		Example: "  onezone token show --store sqlite:data/onezone.db --json 5f3a1c0e9d8b47f2a6c4e1d2b3a4958f",
		Args:    arguments("ID"),
	}
	return p.administers(c, task{do: func(ctx context.Context, a administration, args []string) error {
		n, err := a.Get(ctx, args[0])
		if err != nil {
			return noToken(args[0], err)
		}
		page := []macaroon.Named{n}
		if err := a.addLastUses(ctx, page); err != nil {
			return err
		}
		info := describeToken(page[0], a.Now())
		if info.Username, err = (usernames{}).of(ctx, a.store, n.Subject); err != nil {
			return err
		}
		rows := info.Fields([][]string{
			{"id", info.ID}, {"name", info.Name}, {"user", info.Username}, {"subject", info.Subject}, {"type", n.Type().Describe()},
			{"state", info.State}, {"created", tokeninfo.Moment(info.Created)}, {"expires", info.Expiry()}, {"last use", info.DescribeUse()},
		}...)
		if info.Bait != "" {
			rows = append(rows, []string{"bait", info.Bait})
		}
		return p.printTable(info, []string{"FIELD", "VALUE"}, rows)
	}})
}
