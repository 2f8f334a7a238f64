package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/duration"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

// tokenInfo describes a named token in JSON. It never contains its text.
type tokenInfo struct {
	ID       string   `json:"tokenId"`
	Name     string   `json:"name"`
	Subject  string   `json:"subject"` // such as usr-ID
	Username string   `json:"username,omitempty"`
	Type     string   `json:"type"`  // access, identity or invite
	State    string   `json:"state"` // active, revoked or expired
	Caveats  []string `json:"caveats"`
	Created  int64    `json:"creationTime"`         // Unix seconds
	Expires  *int64   `json:"validUntil,omitempty"` // Unix seconds; nil: never
}

// The states of named tokens.
const (
	stateActive  = "active"
	stateRevoked = "revoked"
	stateExpired = "expired"
)

func describeToken(n macaroon.Named, now time.Time) tokenInfo {
	info := tokenInfo{
		ID: n.ID(), Name: n.Name, Subject: n.Subject.String(), Type: n.Type().Class().String(), State: stateActive,
		Caveats: append([]string{}, n.Caveats()...), Created: n.Created.Unix(),
	}
	if until, ok := n.Expiry(); ok {
		info.Expires = &until
		if now.Unix() >= until {
			info.State = stateExpired
		}
	}
	if n.Revoked {
		info.State = stateRevoked
	}
	return info
}

// tokenFilter selects named tokens.
type tokenFilter struct {
	user, state, kind, before, after string
}

func (o *tokenFilter) flags(f *pflag.FlagSet) {
	f.StringVar(&o.user, "user", "", "only tokens of the user with this `NAME` or id")
	f.Var(oneOf(&o.state, stateActive, stateRevoked, stateExpired), "state", "only tokens in the `STATE` active, revoked or expired")
	f.Var(oneOf(&o.kind, macaroon.Access.String(), macaroon.Identity.String(), macaroon.Invite.String()), "type", "only tokens of the `TYPE` access, identity or invite")
	f.StringVar(&o.before, "expires-before", "", "only tokens that expire before `TIME`: a date, an RFC 3339 time, or a duration from now such as 30d")
	f.StringVar(&o.after, "expires-after", "", "only tokens that expire at or after `TIME`, or never")
}

// moments returns the bounds of the expiry, zero for none.
func (o *tokenFilter) moments(now time.Time) (before, after time.Time, err error) {
	if before, err = parseMoment(o.before, now); err != nil {
		return before, after, usageErrorf("%q for flag --expires-before: %w", o.before, err)
	}
	if after, err = parseMoment(o.after, now); err != nil {
		return before, after, usageErrorf("%q for flag --expires-after: %w", o.after, err)
	}
	return before, after, nil
}

func (o *tokenFilter) check() error {
	_, _, err := o.moments(time.Now())
	return err
}

// parseMoment returns the zero time for "".
func parseMoment(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := duration.Parse(text); err == nil {
		return now.Add(d), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, wantError("a date such as 2026-12-24, a time such as 2026-12-24T18:00:00Z, or a duration such as 30d")
}

// selects reports whether the filter selects the token, apart from its user.
func (o *tokenFilter) selects(t tokenInfo, before, after time.Time) bool {
	switch {
	case o.state != "" && t.State != o.state, o.kind != "" && t.Type != o.kind:
		return false
	case !before.IsZero() && (t.Expires == nil || *t.Expires >= before.Unix()):
		return false
	case !after.IsZero() && t.Expires != nil && *t.Expires < after.Unix():
		return false
	}
	return true
}

func (p *program) tokenListCommand() *cobra.Command {
	var filter tokenFilter
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List named tokens, the oldest first",
		Example: `  onezone token list --store sqlite:data/onezone.db --user alice --json
  onezone token list --store sqlite:data/onezone.db --state active --expires-before 30d`,
		Args: noArguments,
	}
	filter.flags(c.Flags())
	jsonFlag(c, &asJSON)
	return p.administers(c, newSettings(), task{check: filter.check, do: func(ctx context.Context, a administration, _ []string) error {
		list, err := a.tokens(ctx, filter)
		if err != nil {
			return err
		}
		if asJSON {
			return p.printJSON(list)
		}
		rows := make([][]string, len(list))
		for i, t := range list {
			owner := t.Username
			if owner == "" {
				owner = t.Subject
			}
			rows[i] = []string{t.ID, t.Name, owner, t.Type, t.State, moment(t.Created), t.expiry(), strings.Join(t.Caveats, "; ")}
		}
		return p.printTable([]string{"ID", "NAME", "USER", "TYPE", "STATE", "CREATED", "EXPIRES", "CAVEATS"}, rows)
	}})
}

// expiry returns the time of expiry, "never" if there is none.
func (t tokenInfo) expiry() string {
	if t.Expires == nil {
		return "never"
	}
	return moment(*t.Expires)
}

// tokens returns the tokens that the filter selects.
func (a administration) tokens(ctx context.Context, filter tokenFilter) ([]tokenInfo, error) {
	before, after, err := filter.moments(a.Now())
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
	list := []tokenInfo{}
	for {
		page, next, err := a.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, n := range page {
			info := describeToken(n, a.Now())
			if !filter.selects(info, before, after) {
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
	var asJSON bool
	c := &cobra.Command{
		Use: "show ID", Short: "Show a named token without its text",
		Example: "  onezone token show --store sqlite:data/onezone.db --json 5f3a1c0e9d8b47f2a6c4e1d2b3a4958f",
		Args:    arguments("ID"),
	}
	jsonFlag(c, &asJSON)
	return p.administers(c, newSettings(), task{do: func(ctx context.Context, a administration, args []string) error {
		n, err := a.Get(ctx, args[0])
		if err != nil {
			return err
		}
		info := describeToken(n, a.Now())
		if info.Username, err = (usernames{}).of(ctx, a.store, n.Subject); err != nil {
			return err
		}
		if asJSON {
			return p.printJSON(info)
		}
		rows := [][]string{
			{"id", info.ID}, {"name", info.Name}, {"user", info.Username}, {"subject", info.Subject}, {"type", n.Type().Describe()},
			{"state", info.State}, {"created", moment(info.Created)}, {"expires", info.expiry()},
		}
		for _, each := range info.Caveats {
			rows = append(rows, []string{"caveat", each})
		}
		return p.printTable([]string{"FIELD", "VALUE"}, rows)
	}})
}
