package caveat

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/onezone-go/onezone/errors"
)

// List is the caveats of one token, parsed in one vocabulary. It is immutable
// and may be shared; the zero List has no caveats.
type List struct {
	vocabulary *Vocabulary
	texts      []string
	caveats    []Caveat
	rows       []*row // of each caveat; nil: an application's kind, or unknown
}

// ParseList parses the caveats of a token, given by their texts, which must not
// be changed afterwards. Texts outside the vocabulary become [Unknown] caveats,
// which never hold. The Validate functions of an application's kinds must depend
// on the value alone: their verdict is kept with the list.
func (v *Vocabulary) ParseList(texts []string) List {
	l := List{vocabulary: v, texts: texts}
	if len(texts) == 0 {
		return l
	}
	if n := len(texts); n <= len(few{}.caveats) {
		room := new(few)
		l.caveats, l.rows = room.caveats[:n], room.rows[:n]
	} else {
		l.caveats, l.rows = make([]Caveat, n), make([]*row, n)
	}
	for i, text := range texts {
		l.caveats[i], l.rows[i] = v.parse(text)
	}
	return l
}

// few is room for as many caveats as most tokens have, in one allocation.
type few struct {
	caveats [4]Caveat
	rows    [4]*row
}

// newList returns the list of caveats that a program made.
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

// Texts returns the texts of the caveats as they stand in the token, in order.
func (l List) Texts() []string { return slices.Clone(l.texts) }

// Caveats returns the caveats in order. They share no memory with the list.
func (l List) Caveats() []Caveat {
	cs := make([]Caveat, len(l.texts))
	for i, text := range l.texts {
		cs[i], _ = l.vocabulary.parse(text)
	}
	return cs
}

// Expiry returns the earliest moment, in Unix seconds, at which a time caveat
// of the list stops holding; ok is false where the list has none.
func (l List) Expiry() (validUntil int64, ok bool) { return Expiry(l.caveats) }

// Check decides the caveats in order for a token that is used the given way. It
// returns the index and the error of the first that does not hold, and -1 and
// nil where all hold. A type that the request ignores counts as satisfied where
// the use supports it. The list was parsed in its own vocabulary; that of the
// request is not used.
//
// The errors are those of the function [Check], and tokenCaveatUnverified for a
// type that the use does not support.
func (l List) Check(ctx context.Context, use Use, req *Request) (index int, err error) {
	if req == nil {
		req = &Request{}
	}
	request := *req // a variable of the loop is passed on faster than what a pointer points to
	for i, c := range l.caveats {
		if row := l.rows[i]; row != nil && !row.supports(use) {
			return i, unverified(c, nil)
		}
		if len(request.Ignored) > 0 && c.Type() != TypeUnknown && slices.Contains(request.Ignored, c.Type()) {
			continue
		}
		ok, cause := c.satisfied(ctx, request)
		if err := verdict(c, ok, cause); err != nil {
			return i, err
		}
	}
	return -1, nil
}

// CheckKind decides the caveats of one kind in those of a verified token. It is
// for a verifier that left the kind undecided ([Request].Ignored) until it knew
// what the request is about. A list without caveats of the kind passes.
//
// The error is unauthorized {authError: tokenCaveatUnverified} with the first
// caveat of the kind that does not hold (tokenCaveatUnknown for an [Unknown],
// which no verified token has). A kind that is neither in the vocabulary of the
// list nor of the Onezone language is a mistake in the program; its error is not
// of the catalogue.
func (l List) CheckKind(ctx context.Context, kind Type, req *Request) error {
	if req == nil {
		req = &Request{}
	}
	if language.byType[kind] == nil && l.vocabulary.kind(string(kind)) == nil {
		return fmt.Errorf("check the caveats of a kind: %q is not in the vocabulary, which has %s", kind, l.vocabulary.names())
	}
	for _, c := range l.caveats {
		switch c.Type() {
		case TypeUnknown:
			return errors.Unauthorized(errors.TokenCaveatUnknown(c.String()))
		case kind:
			ok, cause := c.satisfied(ctx, *req)
			if err := verdict(c, ok, cause); err != nil {
				return errors.Unauthorized(err)
			}
		}
	}
	return nil
}

// Size returns about how many bytes the parsed caveats take in memory, beside
// the texts.
func (l List) Size() int {
	const perCaveat, perEntry = 64, 96
	n := 0
	for _, text := range l.texts {
		n += perCaveat + perEntry*(1+strings.Count(text, separator)) + len(text)
	}
	return n
}
