package storetest_test

import (
	"context"
	"maps"

	"github.com/onezone-go/onezone/store"
)

func (n *naive) RecordUses(ctx context.Context, uses []store.Use) error {
	if n.is("uses ignore their context") {
		ctx = context.WithoutCancel(ctx)
	}
	if err := n.begin(ctx); err != nil {
		return err
	}
	defer n.mu.Unlock()
	for _, u := range uses {
		if err := u.Validate(); err != nil && !n.is("invalid uses kept") {
			return err
		}
		if n.is("valid uses of a rejected call kept") {
			n.recordUse(u)
		}
	}
	if !n.is("valid uses of a rejected call kept") {
		for _, u := range uses {
			n.recordUse(u)
		}
	}
	n.dropUses()
	return nil
}

func (n *naive) recordUse(u store.Use) {
	id := n.text(u.TokenID)
	old, used := n.uses[id]
	if n.is("uses in two steps") {
		n.pause()
	}
	merged := u
	if used {
		merged = old.Merge(u)
	}
	switch {
	case !used:
	case n.is("the last use recorded wins"):
		u.Count = merged.Count
		merged = u
	case n.is("the first use of a minute wins") && old.At == u.At:
		old.Count = merged.Count
		merged = old
	case n.is("counts are replaced"):
		merged.Count = u.Count
	case n.is("counts overflow"):
		merged.Count = old.Count + u.Count
	case n.is("the later time with the first address"):
		merged.Address, merged.Service = old.Address, old.Service
	}
	if n.is("counts as floats") {
		merged.Count = int64(float32(merged.Count))
	}
	if n.is("a use without an interface") {
		merged.Interface = ""
	}
	n.uses[id] = merged
	if t, ok := n.tokens[id]; ok && n.is("uses are in the record") {
		t.UsageCount += u.Count
		n.tokens[id] = t
	}
}

// dropUses drops the uses of unknown tokens.
func (n *naive) dropUses() {
	if n.is("uses of unknown tokens kept", "uses outlive their tokens") {
		return
	}
	maps.DeleteFunc(n.uses, func(id string, _ store.Use) bool { _, ok := n.tokens[id]; return !ok })
}

// importUse adds a use to those of an import.
func (n *naive) importUse(uses map[string]store.Use, u store.Use) {
	if old, used := uses[u.TokenID]; used && n.is("import merges uses") {
		u = old.Merge(u)
	}
	if n.is("import drops uses") {
		return
	}
	uses[n.text(u.TokenID)] = u
}

func (n *naive) LastUses(ctx context.Context, ids []string) ([]store.Use, error) {
	if n.is("uses ignore their context") {
		ctx = context.WithoutCancel(ctx)
	}
	if err := n.begin(ctx); err != nil {
		return nil, err
	}
	defer n.mu.Unlock()
	uses := make([]store.Use, 0, len(ids))
	for _, id := range ids {
		u, used := n.uses[n.text(id)]
		if !used && n.is("unused tokens are left out") {
			continue
		}
		uses = append(uses, u)
	}
	return uses, nil
}
