package transfer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"reflect"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// Mismatch is how a record differs between two stores. The zero value is
// invalid.
type Mismatch uint8

// The mismatches.
const (
	Missing   Mismatch = iota + 1 // the record is in src only
	Extra                         // the record is in dst only
	Different                     // the records of both stores differ
)

// String returns "missing", "extra" or "different".
func (m Mismatch) String() string {
	if m > Different {
		m = 0
	}
	return [...]string{"unknown mismatch", Missing: "missing", Extra: "extra", Different: "different"}[m]
}

// Difference names a record that differs between two stores. It contains no
// content of the record.
type Difference struct {
	Kind     store.RecordKind
	Key      string // the id of a token, also for its use; the text of the subject otherwise
	Mismatch Mismatch
}

// String returns a readable line: `named token "3f9a": missing`.
func (d Difference) String() string { return fmt.Sprintf("%s %q: %s", d.Kind, d.Key, d.Mismatch) }

// Compare yields the differences of dst from src, and nothing if both contain
// the same records. It looks up each record in the other store, so it takes
// about as long as two copies, and holds one page in memory. Concurrent writes
// may show as differences. An error ends the sequence.
func Compare(ctx context.Context, dst, src store.Store) iter.Seq2[Difference, error] {
	return func(yield func(Difference, error) bool) {
		if compareAll(ctx, src, dst, Missing, yield) {
			compareAll(ctx, dst, src, Extra, yield)
		}
	}
}

// compareAll yields the records of the archive that other lacks, with the
// mismatch absent. It yields records that differ only if the archive is the
// source, so that each is yielded once. It reports whether to continue.
func compareAll(ctx context.Context, a store.Archive, other store.Store, absent Mismatch, yield func(Difference, error) bool) bool {
	for page, err := range Walk(ctx, a, Position{}, store.MaxPage) {
		if err != nil {
			yield(Difference{}, err)
			return false
		}
		for _, r := range page.Records {
			same, err := isSame(ctx, other, r)
			d := Difference{page.Kind, r.Key(), Different}
			switch {
			case errors.Is(err, errors.IDNotFound):
				d.Mismatch = absent
			case err != nil:
				yield(Difference{}, fmt.Errorf("look up the %s %q: %w", d.Kind, d.Key, err))
				return false
			case same || absent == Extra:
				continue
			}
			if !yield(d, nil) {
				return false
			}
		}
	}
	return true
}

// isSame reports whether the store has an equal record. notFound: it has none.
func isSame(ctx context.Context, s store.Store, r store.Record) (bool, error) {
	now, err := store.Current(ctx, s, r)
	switch {
	case err != nil:
		return false, err
	case r.Identity != nil:
		return sameIdentity(*now.Identity, *r.Identity), nil
	case r.Temporary != nil:
		return now.Temporary.Generation == r.Temporary.Generation && now.Temporary.Secret.Equal(r.Temporary.Secret), nil
	case r.Token != nil:
		return sameToken(*now.Token, *r.Token), nil
	}
	return *now.Use == *r.Use, nil
}

func sameIdentity(a, b store.Identity) bool {
	same := a.Password.Equal(b.Password)
	a, b = a.Clone(), b.Clone() // whose empty lists are equal
	a.Password, b.Password = store.Secret{}, store.Secret{}
	return same && reflect.DeepEqual(a, b)
}

func sameToken(a, b store.Token) bool {
	return a.Secret.Equal(b.Secret) && sameJSON(a.Custom, b.Custom) && reflect.DeepEqual(withoutSecret(a), withoutSecret(b))
}

// withoutSecret returns the other fields to compare, with equivalent values
// made equal. Fields that are added to tokens are compared without a change
// here.
func withoutSecret(t store.Token) store.Token {
	t.Secret, t.Custom = store.Secret{}, nil
	if len(t.Caveats) == 0 {
		t.Caveats = nil
	}
	if len(t.RevokedTails) == 0 {
		t.RevokedTails = nil
	}
	if len(t.Tightened) == 0 {
		t.Tightened = nil
	}
	return t
}

// sameJSON reports whether both are the same value, or both are missing.
// Numbers are compared by their digits, because large numbers are equal as
// floats.
func sameJSON(a, b json.RawMessage) bool {
	return bytes.Equal(a, b) || reflect.DeepEqual(decodeJSON(a), decodeJSON(b))
}

func decodeJSON(text json.RawMessage) (value any) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if d.Decode(&value) != nil {
		return text
	}
	return value
}
