package main

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/cmd/internal/tokeninfo"
)

// userInfo describes a user in JSON.
type userInfo struct {
	ID          string   `json:"userId"`
	Username    string   `json:"username"`
	FullName    string   `json:"fullName"`
	HasPassword bool     `json:"hasPassword"`
	Blocked     bool     `json:"blocked"`
	Created     int64    `json:"creationTime"` // Unix seconds
	Rights      []string `json:"rights"`
}

func describeUser(u macaroon.User) userInfo {
	info := userInfo{
		ID: u.Subject.ID, Username: u.Username, FullName: u.FullName, HasPassword: u.HasPassword, Blocked: u.Blocked,
		Rights: append([]string{}, u.Rights...),
	}
	if !u.Created.IsZero() {
		info.Created = u.Created.Unix()
	}
	return info
}

func (p *program) userListCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "list", Short: "List all users, the oldest first",
		Example: `  onezone user list --store sqlite:data/onezone.db
  onezone user list --store sqlite:data/onezone.db --json`,
		Args: noArguments,
	}
	return p.administers(c, task{do: func(ctx context.Context, a administration, _ []string) error {
		list := []userInfo{}
		for u, err := range a.Users(ctx) {
			if err != nil {
				return err
			}
			list = append(list, describeUser(u))
		}
		slices.SortFunc(list, func(x, y userInfo) int {
			return cmp.Or(cmp.Compare(x.Created, y.Created), cmp.Compare(x.ID, y.ID))
		})
		header := []string{"ID", "NAME", "FULL NAME", "PASSWORD", "BLOCKED", "CREATED", "RIGHTS"}
		return printList(p, list, header, func(u userInfo) []string {
			return []string{u.ID, u.Username, u.FullName, yes(u.HasPassword), yes(u.Blocked), tokeninfo.Moment(u.Created), strings.Join(u.Rights, ",")}
		})
	}})
}

func (p *program) userShowCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "show NAME", Short: "Show a user",
		Example: "  onezone user show --store sqlite:data/onezone.db --json alice",
		Args:    arguments("NAME"),
	}
	return p.administers(c, task{do: func(ctx context.Context, a administration, args []string) error {
		subject, err := find(ctx, a.store, args[0])
		if err != nil {
			return err
		}
		user, err := a.User(ctx, subject)
		if err != nil {
			return err
		}
		count, err := a.store.CountTokens(ctx, subject)
		if err != nil {
			return err
		}
		info := struct {
			userInfo
			NamedTokens int64 `json:"namedTokens"`
		}{describeUser(user), count}
		return p.printTable(info, []string{"FIELD", "VALUE"}, [][]string{
			{"id", info.ID}, {"name", info.Username}, {"full name", info.FullName}, {"password", yes(info.HasPassword)},
			{"blocked", yes(info.Blocked)}, {"rights", strings.Join(info.Rights, ",")},
			{"created", tokeninfo.Moment(info.Created)}, {"named tokens", strconv.FormatInt(count, 10)},
		})
	}})
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
