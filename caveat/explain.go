package caveat

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/onezone-go/onezone/errors"
)

// Verdict is what an explanation says about a caveat. The zero value is
// invalid.
type Verdict uint8

// The verdicts. A verifier refuses the token unless all its caveats hold.
const (
	Holds       Verdict = iota + 1
	DoesNotHold         // the request does not satisfy the caveat
	CannotTell          // the request, or its resolvers, lack what the caveat is about
)

var verdictNames = []string{Holds: "holds", DoesNotHold: "doesNotHold", CannotTell: "cannotTell"}

// String returns the JSON name, such as "doesNotHold"; "unknown" for zero.
func (v Verdict) String() string { return nameOf(verdictNames, v) }

// Finding explains how one caveat decides an [Attempt]. The texts are for
// people, and may change.
type Finding struct {
	Caveat  Caveat
	Verdict Verdict
	Reason  string   // what the attempt has or lacks: "the client's address is 10.0.0.1"
	Remedy  string   // what would make the caveat hold; "" if it holds
	Changes []Change // when the verdict changes as time passes, in order
	Err     error    // of [List.Check], [List.Authorize] or [List.CheckFile]; nil if the caveat holds
	Checked bool     // whether the verification of the token accepts the caveat
}

// Change is a time at which a caveat begins or ceases to hold.
type Change struct {
	At    time.Time
	Holds bool
}

// Wording describes for people how a caveat relates to a request. It decides
// nothing.
type Wording struct {
	// Reason is a clause about the request: "the request is about project 7".
	Reason string
	// Missing is true if the request lacks what the caveat is about.
	Missing bool
	// Remedy is a clause about what would make the caveat hold; "": the
	// description in the error of the caveat.
	Remedy string
}

// DefaultHorizon is how far ahead explanations look for changes.
const DefaultHorizon = 7 * 24 * time.Hour

// maxTurns bounds the times for which one caveat is decided again.
const maxTurns = 1000

// Explain decides every caveat for the attempt, in order, and says why. A
// caveat holds exactly if [List.Check] accepts it, and [List.Authorize] and
// [List.CheckFile] do for what the attempt has. Changes within the horizon,
// from the time of the attempt, are listed; zero means [DefaultHorizon].
//
// Errors: badGRI, badValueFilePath, badData {key "operation"} or {key "access"}
// for an attempt that no client can make.
func (l List) Explain(ctx context.Context, use Use, a Attempt, horizon time.Duration) ([]Finding, error) {
	if err := a.Validate(); err != nil {
		return nil, err
	}
	if horizon == 0 {
		horizon = DefaultHorizon
	}
	findings := make([]Finding, l.Len())
	for i := range findings {
		findings[i] = l.at(i).finding(ctx, use, &a)
	}
	// The changes come last, so that no look-up for them changes a verdict.
	for i := range findings {
		findings[i].Changes = l.at(i).changes(ctx, use, a, horizon)
	}
	return findings, nil
}

// at returns the list of the one caveat at the index.
func (l List) at(i int) List {
	p := l.get()
	one := &parsedList{vocabulary: p.vocabulary, caveats: p.caveats[i : i+1], rows: p.rows[i : i+1]}
	if p.texts != nil {
		one.texts = p.texts[i : i+1]
	}
	if n := i - l.Len() + len(p.added); n >= 0 {
		one.added = p.added[n : n+1]
	}
	return List{one}
}

// finding explains the only caveat of the list.
func (l List) finding(ctx context.Context, use Use, a *Attempt) Finding {
	f := Finding{Caveat: l.get().caveats[0], Verdict: Holds}
	_, f.Err = l.Check(ctx, use, &a.Request)
	f.Checked = f.Err == nil
	words := l.wording(ctx, use, a, f.Err)
	if f.Checked {
		if f.Err = a.authorize(l); f.Err != nil {
			words = Wording{Reason: fmt.Sprintf("the operation is %.200q", a.operation())}
		} else if f.Err = a.checkFile(l); f.Err != nil {
			words = f.Caveat.explain(ctx, a)
		}
	}
	f.Reason = words.Reason
	if f.Err == nil {
		return f
	}
	f.Verdict, f.Remedy = DoesNotHold, cmp.Or(words.Remedy, f.Caveat.demand())
	if words.Missing {
		f.Verdict = CannotTell
	}
	return f
}

// wording describes how the only caveat of the list relates to the request.
// refused is the error of its verification.
func (l List) wording(ctx context.Context, use Use, a *Attempt, refused error) Wording {
	c := l.get().caveats[0]
	switch row := l.get().rows[0]; {
	case row != nil && !row.supports(use):
		return Wording{
			Reason: fmt.Sprintf("a token that is used like this cannot have a caveat of the type %q", c.Type()),
			Remedy: "nothing in a request makes it hold; it takes a token without the caveat, or of another type",
		}
	case refused == nil && slices.Contains(a.Ignored, c.Type()):
		return Wording{Reason: fmt.Sprintf("the verification leaves caveats of the type %q undecided", c.Type())}
	}
	words := c.explain(ctx, a)
	// A cause is the error of a failed look-up.
	if e, ok := errors.AsType[*errors.Error](refused); ok && e.Unwrap() != nil && !words.Missing {
		words.Reason, words.Missing = words.Reason+", and a look-up that decides the caveat failed", true
	}
	return words
}

// changes returns when the verdict on the only caveat of the list changes by
// itself.
func (l List) changes(ctx context.Context, use Use, a Attempt, horizon time.Duration) []Change {
	c, ok := l.get().caveats[0].(interface {
		// turns returns the times in the interval at which the caveat may begin
		// or cease to hold.
		turns(from, to time.Time) []time.Time
	})
	if !ok || a.Now.IsZero() {
		return nil
	}
	from, to := a.Now, a.Now.Add(horizon)
	turns := slices.Clone(c.turns(from.Add(-max(a.Leeway, 0)), to))
	for _, at := range turns {
		turns = append(turns, at.Add(max(a.Leeway, 0))) // a time caveat turns then
	}
	turns = slices.DeleteFunc(turns, func(at time.Time) bool { return !at.After(from) || at.After(to) })
	if len(turns) == 0 {
		return nil
	}
	slices.SortFunc(turns, time.Time.Compare)
	turns = slices.CompactFunc(turns, time.Time.Equal)
	holds := a.decide(ctx, use, l) == nil
	var changes []Change
	for _, at := range turns[:min(len(turns), maxTurns)] {
		a.Now = at
		if then := a.decide(ctx, use, l) == nil; then != holds {
			holds = then
			changes = append(changes, Change{at.UTC(), holds})
		}
	}
	return changes
}
