package transfer

import (
	"context"
	"fmt"
	"slices"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// Options is how to [Copy]. The zero value copies everything.
type Options struct {
	From     Position       // where an earlier copy to the same store stopped
	PageSize int            // records that are moved at once; 0: store.DefaultPage, over store.MaxPage: that
	Progress func(Progress) // called after each page; nil: nobody is told
}

// Progress is how far a [Copy] has come. All before Next is written.
type Progress struct {
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
// Errors: badData {key "dst"} for a sealed store without its key ring, to which
// secrets would be written in clear; badValueIdentifierOccupied for a name that
// belongs to another record of dst.
func Copy(ctx context.Context, dst, src store.Store, o Options) (Progress, error) {
	done := Progress{Next: o.From}
	sealed := store.CheckSeal(ctx, dst)
	if sealed != nil && !errors.Is(sealed, store.ErrSealed) {
		return done, sealed
	}
	for page, err := range Walk(ctx, src, o.From, o.PageSize) {
		if err != nil {
			return done, err
		}
		if sealed != nil && slices.ContainsFunc(page.Records, isClear) {
			return done, errors.BadDataHint("dst", "the destination holds sealed records: open it with package seal and its key ring")
		}
		if err := dst.Import(ctx, page.Records); err != nil {
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
func isClear(r store.Record) bool {
	var secret store.Secret
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
