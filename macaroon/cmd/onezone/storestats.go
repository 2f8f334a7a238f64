package main

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/transfer"
)

// storeStats are the numbers of records.
type storeStats struct {
	Users         int64 `json:"users"`
	Blocked       int64 `json:"blockedUsers"`
	WithPassword  int64 `json:"usersWithPassword"`
	Oneproviders  int64 `json:"oneproviders"`
	Temporary     int64 `json:"temporarySecrets"`
	NamedTokens   int64 `json:"namedTokens"`
	Revoked       int64 `json:"revokedTokens"`
	Used          int64 `json:"usedTokens"` // since uses are recorded
	SealedSecrets int64 `json:"sealedSecrets"`
	ClearSecrets  int64 `json:"clearSecrets"`
}

func (p *program) storeStatsCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "stats", Short: "Count the records of the store",
		Example: "  onezone store stats --store sqlite:data/onezone.db --json",
		Args:    noArguments,
	}
	return p.manages(c, storeTask{keepTables: true, do: func(ctx context.Context, b backend, _ []string) error {
		var n storeStats
		for page, err := range transfer.Walk(ctx, b, transfer.Position{}, store.MaxPage) {
			if err != nil {
				return err
			}
			for _, r := range page.Records {
				n.count(r)
			}
		}
		var rows [][]string
		for _, each := range []struct {
			name  string
			value int64
		}{
			{"users", n.Users}, {"blocked users", n.Blocked}, {"users with a password", n.WithPassword}, {"oneproviders", n.Oneproviders},
			{"secrets of temporary tokens", n.Temporary}, {"named tokens", n.NamedTokens}, {"revoked tokens", n.Revoked}, {"tokens with a recorded use", n.Used},
			{"sealed secrets", n.SealedSecrets}, {"secrets in clear", n.ClearSecrets},
		} {
			rows = append(rows, []string{each.name, strconv.FormatInt(each.value, 10)})
		}
		return p.printTable(n, []string{"RECORDS", "NUMBER"}, rows)
	}})
}

func (n *storeStats) count(r store.Record) {
	switch {
	case r.Identity != nil && r.Identity.Subject.Type == caveat.SubjectUser:
		n.Users++
		n.Blocked += one(r.Identity.Blocked)
		n.WithPassword += one(!r.Secret().IsZero())
	case r.Identity != nil:
		n.Oneproviders++
	case r.Temporary != nil:
		n.Temporary++
	case r.Token != nil:
		n.NamedTokens++
		n.Revoked += one(r.Token.Revoked)
	case r.Use != nil:
		n.Used++
	}
	secret := r.Secret()
	n.SealedSecrets += one(secret.IsSealed())
	n.ClearSecrets += one(!secret.IsZero() && !secret.IsSealed())
}

func one(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
