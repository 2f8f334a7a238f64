package caveat

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/onezone-go/onezone/errors"
)

// List is the caveats of one token, parsed in one vocabulary. It is immutable
// and may be shared; the zero List has no caveats.
type List struct {
	parsed *parsedList // nil: no caveats. A pointer, because lists are copied in each verification.
}

type parsedList struct {
	vocabulary *Vocabulary
	texts      []string
	caveats    []Caveat
	rows       []*row      // of each caveat; nil: an application's kind, or unknown
	added      []time.Time // when the owner added the last caveats; empty for those of the token alone
}

// Addition is a caveat that the owner of a token added to its record after the
// token was issued.
type Addition struct {
	Text  string
	Added time.Time
}

// ParseList parses the texts of a token's caveats. The caller must not change
// texts afterwards. Texts outside the vocabulary become [Unknown] caveats,
// which never hold. The Validate functions of an application's kinds must
// depend on the value alone: the list keeps their results.
func (v *Vocabulary) ParseList(texts []string) List {
	if v == nil && len(texts) == 0 {
		return List{}
	}
	l := makeList(len(texts))
	l.vocabulary, l.texts = v, texts
	for i, text := range texts {
		l.caveats[i], l.rows[i] = v.parse(text)
	}
	return List{l}
}

// With returns the list with the additions of the token's owner behind it.
// Errors about them say when they were added.
func (l List) With(additions []Addition) List {
	if len(additions) == 0 {
		return l
	}
	texts, added := slices.Clone(l.get().texts), slices.Clone(l.get().added)
	for _, a := range additions {
		texts, added = append(texts, a.Text), append(added, a.Added)
	}
	longer := l.get().vocabulary.ParseList(texts)
	longer.parsed.added = added
	return longer
}

// Additions returns the additions of the token's owner at the end of the list.
func (l List) Additions() (additions []Addition) {
	p := l.get()
	for i, at := range p.added {
		additions = append(additions, Addition{p.texts[len(p.texts)-len(p.added)+i], at})
	}
	return additions
}

// makeList returns a list with room for n caveats, which takes one allocation
// for most tokens.
func makeList(n int) *parsedList {
	const few = 4
	if n > few {
		return &parsedList{caveats: make([]Caveat, n), rows: make([]*row, n)}
	}
	room := new(struct {
		list    parsedList
		caveats [few]Caveat
		rows    [few]*row
	})
	room.list.caveats, room.list.rows = room.caveats[:n], room.rows[:n]
	return &room.list
}

// get returns the content of the list, which is not nil.
func (l List) get() *parsedList {
	if l.parsed == nil {
		return &parsedList{}
	}
	return l.parsed
}

// newList returns the list of caveats that were not parsed from a token.
func newList(cs []Caveat) List {
	l := makeList(len(cs))
	for i, c := range cs {
		l.caveats[i] = language.normalize(c)
		l.rows[i] = language.byType[l.caveats[i].Type()]
	}
	return List{l}
}

// Len returns the number of caveats.
func (l List) Len() int { return len(l.get().caveats) }

// TypeOf returns the type of the caveat at the index.
func (l List) TypeOf(index int) Type { return l.get().caveats[index].Type() }

// Vocabulary returns the vocabulary in which the caveats were parsed.
func (l List) Vocabulary() *Vocabulary { return l.get().vocabulary }

// Texts returns the texts of the caveats, unchanged and in order.
func (l List) Texts() []string { return slices.Clone(l.get().texts) }

// Caveats returns the caveats in order. They share no memory with the list.
func (l List) Caveats() []Caveat {
	p := l.get()
	cs := make([]Caveat, len(p.texts))
	for i, text := range p.texts {
		cs[i], _ = p.vocabulary.parse(text)
	}
	return cs
}

// Expiry returns the earliest ValidUntil of the time caveats of the list, in
// Unix seconds. ok is false if the list has no time caveat.
func (l List) Expiry() (validUntil int64, ok bool) { return Expiry(l.get().caveats) }

// Check decides the caveats in order for a token that is used the given way. It
// returns the index and the error of the first caveat that does not hold, and
// -1 and nil if all hold. Types in [Request].Ignored count as satisfied if the
// use supports them. The request's vocabulary is not used, because the list is
// parsed already.
//
// The errors are those of the function [Check], and tokenCaveatUnverified for a
// type that the use does not support.
func (l List) Check(ctx context.Context, use Use, req *Request) (index int, err error) {
	if req == nil {
		req = &Request{}
	}
	request := *req // passing a local variable is faster than dereferencing each time
	p := l.get()
	for i, c := range p.caveats {
		if row := p.rows[i]; row != nil && !row.supports(use) {
			return i, l.unverified(i, nil)
		}
		if len(request.Ignored) > 0 && c.Type() != TypeUnknown && slices.Contains(request.Ignored, c.Type()) {
			continue
		}
		if ok, cause := c.satisfied(ctx, request); !ok || cause != nil {
			return i, l.refused(i, cause)
		}
	}
	return -1, nil
}

// CheckKind decides the caveats of one kind in a verified token. It is for a
// verifier that listed the kind in [Request].Ignored because it did not yet
// know what the request is about. A list without caveats of the kind passes.
//
// The error is unauthorized {authError: tokenCaveatUnverified} with the first
// caveat of the kind that does not hold (tokenCaveatUnknown for an [Unknown],
// which no verified token has). The error for a kind that is neither in the
// vocabulary of the list nor in the Onezone language is a programming error,
// outside the catalogue.
func (l List) CheckKind(ctx context.Context, kind Type, req *Request) error {
	if req == nil {
		req = &Request{}
	}
	if language.byType[kind] == nil && l.Vocabulary().kind(string(kind)) == nil {
		return fmt.Errorf("check the caveats of a kind: %q is not in the vocabulary, which has %s", kind, l.Vocabulary().names())
	}
	for i, c := range l.get().caveats {
		if t := c.Type(); t != TypeUnknown && t != kind {
			continue
		}
		if ok, cause := c.satisfied(ctx, *req); !ok || cause != nil {
			return errors.Unauthorized(l.refused(i, cause))
		}
	}
	return nil
}

// refused returns the error for the caveat at the index, which does not hold.
func (l List) refused(index int, cause error) error {
	if c := l.get().caveats[index]; c.Type() == TypeUnknown {
		return errors.TokenCaveatUnknown(c.String())
	}
	return l.unverified(index, cause)
}

// unverified returns the error for the caveat at the index, which says when the
// owner added it.
func (l List) unverified(index int, cause error) error {
	p := l.get()
	c := p.caveats[index]
	if n := index - len(p.caveats) + len(p.added); n >= 0 {
		day := p.added[n].UTC().Format(time.DateOnly)
		return errors.OwnerCaveatUnverified(c, c.demand(), day).WithCause(cause)
	}
	return unverified(c, cause)
}

// forbidden returns the error of a caveat that does not allow an access.
func (l List) forbidden(index int) error { return errors.Unauthorized(l.unverified(index, nil)) }

// Size returns the approximate number of bytes that the parsed caveats take in
// memory, without their texts.
func (l List) Size() int {
	const perCaveat, perEntry = 64, 96
	n := 0
	for _, text := range l.get().texts {
		n += perCaveat + perEntry*(1+strings.Count(text, separator)) + len(text)
	}
	return n
}
