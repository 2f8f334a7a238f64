package main

import (
	"context"
	"slices"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/cmd/internal/tokeninfo"
	"github.com/onezone-go/onezone/macaroon/remote"
)

// cleaning says which tokens of the user to clean up, and how.
type cleaning struct {
	unused time.Duration
	own    string // id of the token that the client uses, "" for none
	tokeninfo.Cleaning
}

// clean revokes or deletes the tokens that were not used for a time.
func clean(f *flags) action {
	var connection connectionFlags
	connection.declareCredentials(f)
	var order cleaning
	value(f, &order.unused, "unused", "DURATION", "how long a token was not used, such as 90d; required", parseTTL)
	f.toggle(&order.Never, "never-used", "also tokens without a recorded use, if the Onezone has recorded uses all that time")
	f.toggle(&order.Delete, "delete", "delete the tokens, which cannot be undone, instead of revoking them")
	f.toggle(&order.DryRun, "dry-run", "only print what would be done")
	asJSON := f.json("the tokens")
	return func(ctx context.Context, p process, _ []string) error {
		if order.unused == 0 {
			return misuse("give the time for which a token was not used, such as --unused 90d")
		}
		return connection.with(p, func(account *remote.Account) (err error) {
			if order.own, err = connection.tokenID(ctx); err != nil {
				return err
			}
			list, err := order.run(ctx, account)
			if err != nil && len(list) == 0 {
				return err
			}
			if *asJSON {
				return errors.Join(err, p.printJSON(list))
			}
			for _, t := range list {
				err = errors.Join(err, p.say("%s", t))
			}
			if len(list) == 0 {
				err = p.say("no token to clean up")
			}
			return err
		})
	}
}

// run cleans up the tokens that were not used for the time. It never includes
// the one that the client uses, whose use may not be recorded yet. With an error,
// it returns the tokens that it had cleaned up before.
func (o cleaning) run(ctx context.Context, account *remote.Account) ([]tokeninfo.Cleaned, error) {
	all, err := allRecords(ctx, account)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(all, func(t tokeninfo.Token) bool { return t.Named().LastUse == nil }) {
		return nil, errors.New("the Onezone does not record when tokens are used")
	}
	since := time.Now().Add(-o.unused)
	all = slices.DeleteFunc(all, func(t tokeninfo.Token) bool { return t.ID == o.own || !t.Named().UnusedSince(since) })
	return o.Run(ctx, account, all)
}
