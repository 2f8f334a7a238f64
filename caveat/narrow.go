package caveat

import (
	"context"
	"slices"
	"time"

	"github.com/onezone-go/onezone/errors"
)

// Recording is a record of the uses of a token, from which [Narrow] derives
// caveats.
type Recording struct {
	Attempts []Attempt // at least one, at most [MaxAttempts]
	// Until is when the token should expire, in whole seconds; zero: one second
	// after the last attempt. Attempts without a time count as made before it.
	Until time.Time
}

// MaxAttempts is the limit on attempts in a [Recording].
const MaxAttempts = 10_000

// Proposal is a caveat that lets all attempts of a recording through. The texts
// are for people, and may change.
type Proposal struct {
	Caveat  Caveat
	Reason  string // what the attempts have in common
	Refuses string // which requests the caveat refuses
	// Mutations are changed copies of the first attempt that the caveat
	// refuses, as examples.
	Mutations []Mutation
}

// Mutation is a changed copy of a recorded attempt.
type Mutation struct {
	Words   string // what was changed: "from 10.0.0.1"
	Attempt Attempt
}

// Narrow returns the tightest caveats that let all recorded attempts through,
// for a token that is used the given way. Each caveat is decided for each
// attempt: none is proposed that refuses one. A caveat about something that an
// attempt does not tell is not proposed. Lists have at most 16 entries,
// networks 8, and operations 64.
//
// Errors: badValueEmpty {key "requests"} for a recording without attempts;
// limitReached; badValueTooLow {key "validUntil"} if an attempt is not before
// Until; those of [List.Explain] for an impossible attempt. The operational
// error of a canceled context is returned, too.
func Narrow(ctx context.Context, use Use, r Recording) ([]Proposal, error) {
	r, err := r.checked()
	if err != nil {
		return nil, err
	}
	var proposals []Proposal
	for _, row := range rows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if row.narrow == nil || r.ignores(row.typ) {
			continue
		}
		p, ok := row.narrow(ctx, r)
		if !ok || Validate(p.Caveat) != nil || !r.accepts(ctx, use, p.Caveat) {
			continue
		}
		p.Mutations = slices.DeleteFunc(p.Mutations, func(m Mutation) bool {
			return m.Attempt.Validate() != nil || m.Attempt.decide(ctx, m.Attempt.use(use), newList([]Caveat{p.Caveat})) == nil
		})
		proposals = append(proposals, p)
	}
	return proposals, ctx.Err()
}

// checked returns the recording with the times that attempts lack, or an error
// if it cannot be used.
func (r Recording) checked() (Recording, error) {
	switch n := len(r.Attempts); {
	case n == 0:
		return r, errors.BadValueEmpty("requests")
	case n > MaxAttempts:
		return r, errors.LimitReached(MaxAttempts, "requests in a recording")
	}
	r.Attempts = slices.Clone(r.Attempts)
	for i := range r.Attempts {
		a := &r.Attempts[i]
		if err := a.Validate(); err != nil {
			return r, err
		}
		if r.Until.IsZero() {
			continue
		}
		if a.Now.IsZero() {
			a.Now = r.Until.Add(-time.Second)
		}
		if last := a.Now.Unix(); last >= r.Until.Unix() {
			return r, errors.BadValueTooLow("validUntil", last+1)
		}
	}
	return r, nil
}

// ignores reports whether an attempt leaves caveats of the type undecided.
func (r Recording) ignores(t Type) bool {
	return slices.ContainsFunc(r.Attempts, func(a Attempt) bool { return slices.Contains(a.Ignored, t) })
}

// accepts reports whether the caveat lets all attempts through.
func (r Recording) accepts(ctx context.Context, use Use, c Caveat) bool {
	list := newList([]Caveat{c})
	return !slices.ContainsFunc(r.Attempts, func(a Attempt) bool { return a.decide(ctx, a.use(use), list) != nil })
}

// maxNarrowed is the limit on entries of a list that Narrow derives.
const maxNarrowed = 16

// distinct returns the different values of the attempts in order of appearance.
// ok is false if value is not known for an attempt, or if there are more than
// most.
func distinct[T comparable](r Recording, most int, value func(a Attempt) (v T, known bool)) (list []T, ok bool) {
	for _, a := range r.Attempts {
		v, known := value(a)
		switch {
		case !known:
			return nil, false
		case slices.Contains(list, v):
		case len(list) == most:
			return nil, false
		default:
			list = append(list, v)
		}
	}
	return list, true
}

// mutate returns a copy of the first attempt that change has changed.
func (r Recording) mutate(words string, change func(a *Attempt)) Mutation {
	a := r.Attempts[0]
	change(&a)
	return Mutation{words, a}
}
