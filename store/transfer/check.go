package transfer

import (
	"context"
	"fmt"
	"iter"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/sealing"
)

// Problem is what is wrong with a record. The zero value is invalid.
type Problem uint8

// The problems.
const (
	Orphan   Problem = iota + 1 // the subject of the token or secret does not exist
	Unsealed                    // the secret is in clear, but the store is sealed
	Invalid                     // no release writes such a record
)

// String returns "orphan", "unsealed" or "invalid".
func (p Problem) String() string {
	if p > Invalid {
		p = 0
	}
	return [...]string{"unknown problem", Orphan: "orphan", Unsealed: "unsealed", Invalid: "invalid"}[p]
}

// Finding names a record with a problem. It contains no content of the record.
type Finding struct {
	Kind    store.RecordKind
	Key     string // the id of a token, also for its use; the text of the subject otherwise
	Problem Problem
}

// String returns a readable line: `named token "3f9a": orphan`.
func (f Finding) String() string { return fmt.Sprintf("%s %q: %s", f.Kind, f.Key, f.Problem) }

// Check yields the problems of the records, without opening secrets. Give it the
// backend of a sealed store, so that it sees which secrets are sealed. It holds
// all subjects in memory. Concurrent writes may show as orphans. An error ends
// the sequence.
func Check(ctx context.Context, s store.Store) iter.Seq2[Finding, error] {
	return func(yield func(Finding, error) bool) {
		sealed := errors.Is(store.CheckSeal(ctx, s), store.ErrSealed)
		c := checker{known: map[caveat.Subject]bool{}, sealed: sealed}
		for page, err := range Walk(ctx, s, Position{}, store.MaxPage) {
			if err != nil {
				yield(Finding{}, err)
				return
			}
			for _, r := range page.Records {
				for _, p := range c.problems(r) {
					if !yield(Finding{page.Kind, r.Key(), p}, nil) {
						return
					}
				}
			}
		}
	}
}

// checker checks the records in the order of a copy.
type checker struct {
	known  map[caveat.Subject]bool // subjects with an identity
	sealed bool
}

func (c checker) problems(r store.Record) (found []Problem) {
	subject := caveat.Subject{}
	switch {
	case r.Identity != nil:
		c.known[r.Identity.Subject] = true
	case r.Temporary != nil:
		if subject = r.Temporary.Subject; subject == sealing.Canary() {
			return nil
		}
	case r.Token != nil:
		subject = r.Token.Subject
	}
	if !subject.IsZero() && !c.known[subject] {
		found = append(found, Orphan)
	}
	if c.sealed && isClear(r) {
		found = append(found, Unsealed)
	}
	if r.Validate() != nil {
		found = append(found, Invalid)
	}
	return found
}
