package backend

import (
	"context"
	"slices"
	"strings"

	"github.com/onezone-go/onezone/store"
)

// RecordUses implements [store.Uses]. The driver gets at most one use of each
// token, in the order of their ids, so that concurrent calls do not deadlock.
func (c Contract) RecordUses(ctx context.Context, uses []store.Use) error {
	return Do(ctx, c.d, "record the uses of tokens", func() error {
		for _, u := range uses {
			if err := u.Validate(); err != nil {
				return err
			}
		}
		if len(uses) == 0 {
			return nil
		}
		return c.d.RecordUses(ctx, mergeUses(uses))
	})
}

// mergeUses returns one use of each token, sorted by token.
func mergeUses(uses []store.Use) (merged []store.Use) {
	uses = slices.Clone(uses)
	slices.SortStableFunc(uses, func(a, b store.Use) int { return strings.Compare(a.TokenID, b.TokenID) })
	for _, u := range uses {
		if last := len(merged) - 1; last >= 0 && merged[last].TokenID == u.TokenID {
			merged[last] = merged[last].Merge(u)
			continue
		}
		merged = append(merged, u)
	}
	return merged
}

// LastUses implements [store.Uses]. The driver gets different valid ids, and may
// return the uses that exist in any order.
func (c Contract) LastUses(ctx context.Context, ids []string) ([]store.Use, error) {
	var found []store.Use
	err := c.call(ctx, "look up the last uses of tokens", func(ctx context.Context) (err error) {
		possible := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !isKey(id) })
		slices.Sort(possible)
		if possible = slices.Compact(possible); len(possible) > 0 {
			found, err = c.d.LastUses(ctx, possible)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	of := make(map[string]store.Use, len(found))
	for _, u := range found {
		of[u.TokenID] = u
	}
	all := make([]store.Use, len(ids))
	for i, id := range ids {
		all[i] = of[id]
	}
	return all, nil
}

// RecordUses implements [Driver] in one transaction.
func (s *SQL) RecordUses(ctx context.Context, uses []store.Use) error {
	rows := make([][]any, len(uses))
	for i := range uses {
		rows[i] = useArgs(&uses[i])
	}
	return s.Transaction(ctx, func(tx Tx) error { return tx.Import(None, nil, RecordUse, rows) })
}

// LastUses implements [Driver] with one query.
func (s *SQL) LastUses(ctx context.Context, ids []string) ([]store.Use, error) {
	found, _, err := Page(ctx, s.DB, scanUse, len(ids), LastUses, s.dialect.List(ids))
	return found, err
}

func useArgs(u *store.Use) []any {
	return []any{u.TokenID, u.At, u.Address, u.Service, u.Interface, u.Count}
}

func scanUse(r Row) (u store.Use, err error) {
	err = r.Scan(&u.TokenID, &u.At, &u.Address, &u.Service, &u.Interface, &u.Count)
	return u, err
}
