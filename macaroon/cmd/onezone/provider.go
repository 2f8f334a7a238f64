package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/onezone-go/onezone/caveat"
	onezoneerrors "github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/cmd/internal/tokeninfo"
	"github.com/onezone-go/onezone/store"
)

func (p *program) providerCommand() *cobra.Command {
	c := group("provider", "Manage Oneproviders", p.providerAddCommand(), p.providerListCommand(),
		p.providerChangeCommand("block", "blocked", "Block a Oneprovider, so that its tokens and those for it stop working",
			func(a administration, ctx context.Context, s caveat.Subject) error { return a.SetBlocked(ctx, s, true) }),
		p.providerChangeCommand("unblock", "unblocked", "Unblock a Oneprovider",
			func(a administration, ctx context.Context, s caveat.Subject) error {
				return a.SetBlocked(ctx, s, false)
			}),
		p.providerChangeCommand("delete", "deleted", "Delete a Oneprovider and all its tokens",
			func(a administration, ctx context.Context, s caveat.Subject) error { return a.DeleteUser(ctx, s) }))
	c.Long = `Manages the Oneproviders that may use the service. All users may use their tokens
with the workers of Oneproviders that are registered and not blocked.

A Oneprovider proves who it is with an identity token: "onezone token issue
--provider ID --type identity". It presents it as the service token when it has
the token of a user verified.`
	return c
}

// providerID is the form of new ids of Oneproviders, as of users.
var providerID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// providerInfo describes a Oneprovider in JSON.
type providerInfo struct {
	ID      string `json:"providerId"`
	Blocked bool   `json:"blocked"`
	Created int64  `json:"creationTime"` // Unix seconds
}

func (p *program) providerAddCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "add ID", Short: "Register a Oneprovider",
		Example: "  onezone provider add --store sqlite:data/onezone.db lyon-1",
		Args:    arguments("ID"),
	}
	return p.administers(c, task{creates: true, do: func(ctx context.Context, a administration, args []string) error {
		if !providerID.MatchString(args[0]) {
			return usageErrorf("%q is not an id: it must have 1 to 64 letters, digits, dashes and underscores", args[0])
		}
		_, err := a.CreateProvider(ctx, args[0])
		if errors.Is(err, onezoneerrors.IDAlreadyExists) {
			return fmt.Errorf("there is a Oneprovider %q: %w", args[0], onezoneerrors.AlreadyExists())
		}
		if err != nil {
			return err
		}
		return p.print(providerInfo{ID: args[0], Created: a.Now().Unix()}, "registered Oneprovider %s", args[0])
	}})
}

func (p *program) providerListCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "list", Short: "List all Oneproviders",
		Example: "  onezone provider list --store sqlite:data/onezone.db --json",
		Args:    noArguments,
	}
	return p.administers(c, task{do: func(ctx context.Context, a administration, _ []string) error {
		list := []providerInfo{}
		for after := ""; ; {
			records, next, err := a.store.Export(ctx, store.IdentityRecords, after, store.MaxPage)
			if err != nil {
				return err
			}
			for _, r := range records {
				if i := r.Identity; i.Subject.Type == caveat.SubjectProvider {
					list = append(list, providerInfo{i.Subject.ID, i.Blocked, i.Created})
				}
			}
			if after = next; after == "" {
				break
			}
		}
		return printList(p, list, []string{"ID", "BLOCKED", "CREATED"}, func(i providerInfo) []string {
			return []string{i.ID, yes(i.Blocked), tokeninfo.Moment(i.Created)}
		})
	}})
}

// providerChangeCommand returns a command that changes one Oneprovider.
func (p *program) providerChangeCommand(use, done, short string,
	change func(administration, context.Context, caveat.Subject) error,
) *cobra.Command {
	c := &cobra.Command{
		Use: use + " ID", Short: short,
		Example: "  onezone provider " + use + " --store sqlite:data/onezone.db lyon-1",
		Args:    arguments("ID"),
	}
	return p.administers(c, task{do: func(ctx context.Context, a administration, args []string) error {
		if err := change(a, ctx, caveat.Provider(args[0])); err != nil {
			return fmt.Errorf("Oneprovider %q: %w", args[0], err) //nolint:staticcheck // a name
		}
		return p.printChanged("providerId", "Oneprovider", args[0], done)
	}})
}

// memberships implements [macaroon.Memberships]: all users are those of the
// Oneproviders in the store that are not blocked, and no user is a member of a
// cluster.
type memberships struct{ identities store.Identities }

var _ macaroon.Memberships = memberships{}

// InProvider implements [macaroon.Memberships].
func (m memberships) InProvider(ctx context.Context, _ caveat.Subject, provider string) (bool, error) {
	i, err := m.identities.GetIdentity(ctx, caveat.Provider(provider))
	switch {
	case isNotFound(err):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("looking up a Oneprovider: %w", err)
	}
	return i.Status() == store.HolderActive, nil
}

// InCluster implements [macaroon.Memberships].
func (memberships) InCluster(context.Context, caveat.Subject, string) (bool, error) {
	return false, nil
}
