package transfer

import (
	"context"
	"fmt"
	"slices"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// Options configures [Copy]. The zero value copies everything.
type Options struct {
	From     Position       // position where an earlier copy to the same store stopped
	PageSize int            // records per page; 0: store.DefaultPage; at most store.MaxPage
	Progress func(Progress) // called after each page, if not nil
}

// Progress is the state of a [Copy]. All records before Next are written.
type Progress struct {
	Records int64 // written by this call
	Next    Position
}

// Copy writes all records of src to dst and returns the [Progress]. It replaces
// records with the same keys and does not change other records of dst. Use a
// dst that is empty or contains an earlier copy; since that copy, no name may
// have moved from one record to another. It holds one page in memory.
//
// To resume a failed copy, start at the Next that it returned. Changes in src
// behind the position are not copied: stop the writers first, and call
// [Compare] at the end.
//
// Secrets are copied as src returns them. Between two sealed stores they are
// sealed again; between their backends they stay sealed under the same keys.
//
// Errors:
//   - badData {key "dst"}: dst is a sealed store that was opened without its
//     key ring, so secrets would be written in clear
//   - badValueIdentifierOccupied: a name belongs to another record of dst
func Copy(ctx context.Context, dst, src store.Store, o Options) (Progress, error) {
	done := Progress{Next: o.From}
	to, err := newDestination(ctx, dst)
	if err != nil {
		return done, err
	}
	for page, err := range Walk(ctx, src, o.From, o.PageSize) {
		if err != nil {
			return done, err
		}
		if err := to.write(ctx, page.Records); err != nil {
			return done, err
		}
		done.Records += int64(len(page.Records))
		done.Next = page.Next
		if o.Progress != nil {
			o.Progress(done)
		}
	}
	return done, nil
}

// destination is a store to which records are copied.
type destination struct {
	store.Store
	sealed bool // and opened without its key ring
}

func newDestination(ctx context.Context, dst store.Store) (destination, error) {
	err := store.CheckSeal(ctx, dst)
	if err != nil && !errors.Is(err, store.ErrSealed) {
		return destination{}, err
	}
	return destination{dst, err != nil}, nil
}

// write imports the records. badData {key "dst"}: secrets would be written in
// clear to a sealed store.
func (d destination) write(ctx context.Context, records []store.Record) error {
	if d.sealed && slices.ContainsFunc(records, isClear) {
		return errors.BadDataHint("dst", "the destination holds sealed records: open it with package seal and its key ring")
	}
	if err := d.Import(ctx, records); err != nil {
		return fmt.Errorf("import records: %w", err)
	}
	return nil
}

// isClear reports whether the record has a secret that is not sealed.
func isClear(r store.Record) bool {
	secret := r.Secret()
	return !secret.IsZero() && !secret.IsSealed()
}
