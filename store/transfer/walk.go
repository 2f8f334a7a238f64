package transfer

import (
	"context"
	"fmt"
	"iter"

	"github.com/onezone-go/onezone/store"
)

// Position is a place between two pages of a [Walk]. The zero Position is the
// beginning. It stays valid across restarts.
type Position struct {
	Kind  store.RecordKind // of the records that come next; 0: the first kind
	After string           // as [store.Archive] returned it
}

// IsEnd reports whether nothing comes after the position.
func (p Position) IsEnd() bool { return p.Kind > store.TokenRecords }

// Page is one page of a [Walk].
type Page struct {
	Kind    store.RecordKind
	Records []store.Record // of that kind; there may be none
	Next    Position       // after the records
}

// Walk gives all records of the archive that come after the position, the kinds
// in the order in which a copy has to write them, in pages of at most size
// records, 0 standing for [store.DefaultPage]. It holds one page at a time. An error
// is the last that it gives. A record that is in the archive during the whole
// of a walk is in it exactly once.
func Walk(ctx context.Context, a store.Archive, from Position, size int) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		at := Position{max(from.Kind, store.IdentityRecords), from.After}
		for !at.IsEnd() {
			page, err := export(ctx, a, at, store.Query{Limit: size}.PageSize())
			if !yield(page, err) || err != nil {
				return
			}
			at = page.Next
		}
	}
}

func export(ctx context.Context, a store.Archive, at Position, size int) (Page, error) {
	records, next, err := a.Export(ctx, at.Kind, at.After, size)
	switch {
	case err != nil:
		return Page{}, fmt.Errorf("export records of kind %s: %w", at.Kind, err)
	case next == "":
		return Page{at.Kind, records, Position{Kind: at.Kind + 1}}, nil
	case next == at.After:
		return Page{}, fmt.Errorf("export records of kind %s: the archive gives the same page for ever", at.Kind)
	}
	return Page{at.Kind, records, Position{at.Kind, next}}, nil
}
