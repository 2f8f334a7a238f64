package store

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/onezone-go/onezone/errors"
)

// Position is a place between two pages of a [Walk]. The zero Position is the
// beginning. It stays valid across restarts.
type Position struct {
	Kind  RecordKind // of the records that come next; 0: the first kind
	After string     // as [Archive] returned it
}

// IsEnd reports whether nothing comes after the position.
func (p Position) IsEnd() bool { return p.Kind > TokenRecords }

// Page is one page of a [Walk].
type Page struct {
	Kind    RecordKind
	Records []Record // of that kind; there may be none
	Next    Position // after the records
}

// Walk gives all records of the archive that come after the position, the kinds
// in the order in which a copy has to write them, in pages of at most size
// records, 0 standing for [DefaultPage]. It holds one page at a time. An error
// is the last that it gives. A record that is in the archive during the whole
// of a walk is in it exactly once.
func Walk(ctx context.Context, a Archive, from Position, size int) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		at := Position{max(from.Kind, IdentityRecords), from.After}
		for !at.IsEnd() {
			page, err := export(ctx, a, at, Query{Limit: size}.PageSize())
			if !yield(page, err) || err != nil {
				return
			}
			at = page.Next
		}
	}
}

func export(ctx context.Context, a Archive, at Position, size int) (Page, error) {
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

// CopyOptions is how to [Copy]. The zero value copies everything.
type CopyOptions struct {
	From     Position           // where an earlier copy to the same store stopped
	PageSize int                // records that are moved at once; 0: DefaultPage, over MaxPage: MaxPage
	Progress func(CopyProgress) // called after each page; nil: nobody is told
}

// CopyProgress is how far a [Copy] has come. All before Next is written.
type CopyProgress struct {
	Records int64 // written by this call
	Next    Position
}

// Copy writes all records of src into dst, each in place of the one with the
// same key if there is one, and leaves alone what else dst has. It is for a dst
// that is empty, or holds an earlier copy since which no name has passed from one
// record to another. It holds one page in memory.
//
// A copy that failed goes on from the Next that it returned, which is also what
// Progress was told last. What changes in src behind the position is not copied:
// stop the writers first, and call [Compare] in the end.
//
// Secrets are copied as src shows them. Between two sealed stores they are
// sealed anew; between their backends they stay sealed under the same keys.
//
// Errors: badData {key "dst"} or {key "src"} for a store that is no [Archive],
// and badData {key "dst"} for a sealed store without its key ring, to which
// secrets would be written in clear; badValueIdentifierOccupied for a name that belongs to another record of dst.
func Copy(ctx context.Context, dst, src Store, o CopyOptions) (CopyProgress, error) {
	done := CopyProgress{Next: o.From}
	from, to, err := archives(dst, src)
	if err != nil {
		return done, err
	}
	sealed := CheckSeal(ctx, dst)
	if sealed != nil && !errors.Is(sealed, ErrSealed) {
		return done, sealed
	}
	for page, err := range Walk(ctx, from, o.From, o.PageSize) {
		if err != nil {
			return done, err
		}
		if sealed != nil && slices.ContainsFunc(page.Records, Record.isClear) {
			return done, errors.BadDataHint("dst", "the destination holds sealed records: open it with package seal and its key ring")
		}
		if err := to.Import(ctx, page.Records); err != nil {
			return done, fmt.Errorf("import records of kind %s: %w", page.Kind, err)
		}
		done.Records += int64(len(page.Records))
		done.Next = page.Next
		if o.Progress != nil {
			o.Progress(done)
		}
	}
	return done, nil
}

// isClear reports whether the record has a secret that is not sealed.
func (r Record) isClear() bool {
	var secret Secret
	switch {
	case r.Identity != nil:
		secret = r.Identity.Password
	case r.Temporary != nil:
		secret = r.Temporary.Secret
	case r.Token != nil:
		secret = r.Token.Secret
	}
	return !secret.IsZero() && !secret.IsSealed()
}

// archives returns the capabilities that a copy needs of its ends.
func archives(dst, src Store) (from, to Archive, err error) {
	from, ok := src.(Archive)
	if !ok {
		return nil, nil, errors.BadDataHint("src", "the source is no store.Archive: it cannot list all that it has")
	}
	to, ok = dst.(Archive)
	if !ok {
		return nil, nil, errors.BadDataHint("dst", "the destination is no store.Archive: it cannot take records as they are")
	}
	return from, to, nil
}
