package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/remote"
)

// cleaning says which tokens of the user to clean up, and how.
type cleaning struct {
	unused                time.Duration
	never, delete, dryRun bool
	own                   string // id of the token that the client uses, "" for none
}

// cleaned is a token of a clean-up in JSON.
type cleaned struct {
	record
	Result string `json:"result"` // revoked, deleted, or what would be done
}

// line describes the clean-up of the token in words.
func (c cleaned) line() string {
	done, use := c.Result, "no recorded use"
	if verb, dry := strings.CutPrefix(done, "would be "); dry {
		done = "would " + strings.TrimSuffix(verb, "d")
	}
	if c.LastUse != nil {
		use = "last used " + c.lastUse()
	}
	return fmt.Sprintf("%s token %s %q, %s", done, c.ID, c.Name, use)
}

// clean revokes or deletes the tokens that were not used for a time.
func clean(f *flags) action {
	var connection connectionFlags
	connection.declareCredentials(f)
	var order cleaning
	value(f, &order.unused, "unused", "DURATION", "how long a token was not used, such as 90d; required", parseTTL)
	f.toggle(&order.never, "never-used", "also tokens without a recorded use, if the Onezone has recorded uses all that time")
	f.toggle(&order.delete, "delete", "delete the tokens, which cannot be undone, instead of revoking them")
	f.toggle(&order.dryRun, "dry-run", "only print what would be done")
	asJSON := f.json("the tokens")
	return func(ctx context.Context, p process, args []string) error {
		switch {
		case len(args) > 0:
			return misuse("clean takes flags only")
		case order.unused == 0:
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
				err = errors.Join(err, p.say("%s", t.line()))
			}
			if len(list) == 0 {
				err = p.say("no token to clean up")
			}
			return err
		})
	}
}

// run cleans up. With an error, it returns the tokens that it had cleaned up
// before.
func (o cleaning) run(ctx context.Context, account *remote.Account) ([]cleaned, error) {
	all, err := allRecords(ctx, account)
	if err != nil {
		return nil, err
	}
	do, result := account.Revoke, "revoked"
	if o.delete {
		do, result = account.Delete, "deleted"
	}
	if o.dryRun {
		do, result = func(context.Context, string) error { return nil }, "would be "+result
	}
	list := []cleaned{}
	since := time.Now().Add(-o.unused)
	for _, r := range all {
		if r.named.LastUse == nil {
			return list, errors.New("the Onezone does not record when tokens are used")
		}
		if !o.selects(r, since) {
			continue
		}
		if err := do(ctx, r.ID); err != nil && !errors.Is(err, errors.IDNotFound) {
			return list, err
		}
		list = append(list, cleaned{r, result})
	}
	return list, nil
}

// selects reports whether the clean-up includes the token. It never includes the
// one that the client uses, whose use may not be recorded yet.
func (o cleaning) selects(r record, since time.Time) bool {
	return r.named.UnusedSince(since) && r.ID != o.own && (r.LastUse != nil || o.never) && (o.delete || r.State != "revoked")
}
