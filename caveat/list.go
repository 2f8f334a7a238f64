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
	l := List{vocabulary: v, texts: texts}
	if len(texts) == 0 {
		return l
	}
	if n := len(texts); n <= len(inlineCaveats{}.caveats) {
		room := new(inlineCaveats)
		l.caveats, l.rows = room.caveats[:n], room.rows[:n]
	} else {
		l.caveats, l.rows = make([]Caveat, n), make([]*row, n)
	}
	for i, text := range texts {
		l.caveats[i], l.rows[i] = v.parse(text)
	}
	return l
}

// With returns the list with the additions of the token's owner behind it.
// Errors about them say when they were added.
func (l List) With(additions []Addition) List {
	if len(additions) == 0 {
		return l
	}
	texts, added := slices.Clone(l.texts), slices.Clone(l.added)
	for _, a := range additions {
		texts, added = append(texts, a.Text), append(added, a.Added)
	}
	l = l.vocabulary.ParseList(texts)
	l.added = added
	return l
}

// Additions returns the additions of the token's owner at the end of the list.
func (l List) Additions() (additions []Addition) {
	for i, at := range l.added {
		additions = append(additions, Addition{l.texts[len(l.texts)-len(l.added)+i], at})
	}
	return additions
}

// inlineCaveats has room for the caveats of most tokens in one allocation.
type inlineCaveats struct {
	caveats [4]Caveat
	rows    [4]*row
}

// newList returns the list of caveats that were not parsed from a token.
func newList(cs []Caveat) List {
	l := List{caveats: make([]Caveat, len(cs)), rows: make([]*row, len(cs))}
	for i, c := range cs {
		l.caveats[i] = language.normalize(c)
		l.rows[i] = language.byType[l.caveats[i].Type()]
	}
	return l
}

// Len returns the number of caveats.
func (l List) Len() int { return len(l.caveats) }

// TypeOf returns the type of the caveat at the index.
func (l List) TypeOf(index int) Type { return l.caveats[index].Type() }

// Vocabulary returns the vocabulary in which the caveats were parsed.
func (l List) Vocabulary() *Vocabulary { return l.vocabulary }

// Texts returns the texts of the caveats, unchanged and in order.
func (l List) Texts() []string { return slices.Clone(l.texts) }

// Caveats returns the caveats in order. They share no memory with the list.
func (l List) Caveats() []Caveat {
	cs := make([]Caveat, len(l.texts))
	for i, text := range l.texts {
		cs[i], _ = l.vocabulary.parse(text)
	}
	return cs
}

// Expiry returns the earliest ValidUntil of the time caveats of the list, in
// Unix seconds. ok is false if the list has no time caveat.
func (l List) Expiry() (validUntil int64, ok bool) { return Expiry(l.caveats) }

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
	for i, c := range l.caveats {
		if row := l.rows[i]; row != nil && !row.supports(use) {
			return i, l.unverified(i, nil)
		}
		if len(request.Ignored) > 0 && c.Type() != TypeUnknown && slices.Contains(request.Ignored, c.Type()) {
			continue
		}
		ok, cause := c.satisfied(ctx, request)
		if err := l.verdict(i, ok, cause); err != nil {
			return i, err
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
	if language.byType[kind] == nil && l.vocabulary.kind(string(kind)) == nil {
		return fmt.Errorf("check the caveats of a kind: %q is not in the vocabulary, which has %s", kind, l.vocabulary.names())
	}
	for i, c := range l.caveats {
		if t := c.Type(); t != TypeUnknown && t != kind {
			continue
		}
		ok, cause := c.satisfied(ctx, *req)
		if err := l.verdict(i, ok, cause); err != nil {
			return errors.Unauthorized(err)
		}
	}
	return nil
}

// verdict is the function verdict for the caveat at the index.
func (l List) verdict(index int, ok bool, cause error) error {
	if c := l.caveats[index]; ok && cause == nil || c.Type() == TypeUnknown {
		return verdict(c, ok, cause)
	}
	return l.unverified(index, cause)
}

// unverified returns the error for the caveat at the index, which says when the
// owner added it.
func (l List) unverified(index int, cause error) error {
	c := l.caveats[index]
	if n := index - len(l.caveats) + len(l.added); n >= 0 {
		day := l.added[n].UTC().Format(time.DateOnly)
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
	for _, text := range l.texts {
		n += perCaveat + perEntry*(1+strings.Count(text, separator)) + len(text)
	}
	return n
}
