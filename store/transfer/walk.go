package transfer

import (
	"context"
	"fmt"
	"iter"

	"github.com/onezone-go/onezone/store"
)

// Position is a position between two pages of a [Walk]. The zero Position is
// the beginning. Positions stay valid across restarts.
type Position struct {
	Kind  store.RecordKind // kind of the next records; 0: the first kind
	After string           // position returned by [store.Archive]
}

// IsEnd reports whether the position is the end.
func (p Position) IsEnd() bool { return p.Kind > store.UseRecords }

// Page is one page of a [Walk].
type Page struct {
	Kind    store.RecordKind
	Records []store.Record // of that kind; may be empty
	Next    Position       // position after the records
}

// Walk yields all records of the exporter after the position, in pages of at
// most size records. Kinds come in the order in which a copy writes them. A
// size of 0 means [store.DefaultPage]. It holds one page at a time, and an
// error ends the sequence. A record that is in the store during the whole
// walk is yielded exactly once.
func Walk(ctx context.Context, a store.Exporter, from Position, size int) iter.Seq2[Page, error] {
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

func export(ctx context.Context, a store.Exporter, at Position, size int) (Page, error) {
	records, next, err := a.Export(ctx, at.Kind, at.After, size)
	switch {
	case err != nil:
		return Page{}, fmt.Errorf("export records of kind %s: %w", at.Kind, err)
	case next == "":
		return Page{at.Kind, records, Position{Kind: at.Kind + 1}}, nil
	case next == at.After:
		return Page{}, fmt.Errorf("export records of kind %s: the archive returned the same page twice", at.Kind)
	}
	return Page{at.Kind, records, Position{at.Kind, next}}, nil
}
