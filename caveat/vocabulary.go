package caveat

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/onezone-go/onezone/errors"
)

// DefaultMaxEntries is the default limit on the entries of a list in a caveat;
// see [Vocabulary.LimitEntries].
const DefaultMaxEntries = 4096

// Vocabulary is a set of known kinds of caveats. It always has the thirteen of
// the Onezone language, and those that an application adds. It is immutable and
// safe for concurrent use. A nil *Vocabulary and the zero Vocabulary have the
// Onezone language only.
type Vocabulary struct {
	kinds      map[string]*Kind
	maxEntries int
	table      *table // nil: the Onezone language
}

// NewVocabulary returns the Onezone language with the given kinds added. The
// error is badData {key "kind"}: a name is reserved, repeated or not of the
// form that [Kind] describes, or a kind has no Satisfied function.
func NewVocabulary(kinds ...Kind) (*Vocabulary, error) {
	v := &Vocabulary{kinds: make(map[string]*Kind, len(kinds)), maxEntries: DefaultMaxEntries}
	for _, k := range kinds {
		if problem := k.problem(); problem != "" {
			return nil, errors.BadDataHint("kind", fmt.Sprintf("kind %q: %s", k.Name, problem))
		}
		if v.kinds[k.Name] != nil {
			return nil, errors.BadDataHint("kind", fmt.Sprintf("kind %q is given twice", k.Name))
		}
		v.kinds[k.Name] = &k
	}
	return v, nil
}

// LimitEntries returns a copy of the vocabulary in which a list in a caveat may
// have at most n entries. An n below 1 is treated as 1, because no list is
// empty.
func (v *Vocabulary) LimitEntries(n int) *Vocabulary {
	limited := &Vocabulary{maxEntries: max(n, 1)}
	if v != nil {
		limited.kinds, limited.table = maps.Clone(v.kinds), v.table
	}
	return limited
}

func (v *Vocabulary) limit() int {
	if v == nil || v.maxEntries == 0 {
		return DefaultMaxEntries
	}
	return v.maxEntries
}

func (v *Vocabulary) kind(name string) *Kind {
	if v == nil {
		return nil
	}
	return v.kinds[name]
}

// Parse reads a caveat text of the Onezone language; see [Vocabulary.Parse].
func Parse(text string) (Caveat, error) { return (*Vocabulary)(nil).Parse(text) }

// Parse reads the text of a caveat, as tokens hold it. A text that is outside
// the vocabulary or not UTF-8, and a list with too many entries, are returned
// as [Unknown] with the error tokenCaveatUnknown {caveat}. A verifier must
// refuse the token; a program that only displays it may ignore the error.
func (v *Vocabulary) Parse(text string) (Caveat, error) {
	c, _ := v.parse(text)
	if c.Type() == TypeUnknown {
		return c, errors.TokenCaveatUnknown(text)
	}
	return c, nil
}

// parse returns the caveat and its row, which is nil for an application's kind
// and for an [Unknown]. It dispatches on the whole first word, so that caveats
// with a common prefix are not confused.
func (v *Vocabulary) parse(text string) (Caveat, *row) {
	head, _, _ := strings.Cut(text, " ")
	if !utf8.ValidString(text) {
		return Unknown(text), nil
	}
	if k := v.kind(head); k != nil {
		value, ok := strings.CutPrefix(text[len(head):], " = ")
		if c := (Custom{k, value}); ok && c.problem() == "" {
			return c, nil
		}
		return Unknown(text), nil
	}
	// Entries are counted first, so that a hostile list costs no memory.
	if r := v.language().byHead[head]; r != nil && !v.tooLong(text) {
		if c, ok := r.parse(text[len(head):]); ok {
			return c, r
		}
	}
	return Unknown(text), nil
}

// language returns the table of the types that no application added.
func (v *Vocabulary) language() *table {
	if v == nil || v.table == nil {
		return language
	}
	return v.table
}

// MustParse is [Parse] for constants: it panics if Parse returns an error.
func MustParse(text string) Caveat {
	c, err := Parse(text)
	if err != nil {
		panic(err)
	}
	return c
}

// Validate reports whether the caveat may enter a new token; see
// [Vocabulary.Validate].
func Validate(c Caveat) error { return (*Vocabulary)(nil).Validate(c) }

// Validate returns an error unless the caveat may enter a new token. Such a
// caveat can hold, its list is neither empty nor too long, and its text reads
// back as the same caveat. Parsing tokens is more lenient. The error is
// badValueCaveat {caveat}; its description says what is wrong.
func (v *Vocabulary) Validate(c Caveat) error {
	_, err := v.Text(c)
	return err
}

// Text returns the text of the caveat. The error is that of
// [Vocabulary.Validate] if the caveat may not enter a new token.
func (v *Vocabulary) Text(c Caveat) (string, error) {
	c = v.language().normalize(c)
	text, problem := v.text(c)
	if problem != "" {
		return "", badCaveat(c, problem)
	}
	return text, nil
}

// text returns the text of the caveat, or the problem why it may not enter a
// new token.
func (v *Vocabulary) text(c Caveat) (text, problem string) {
	if unknown, ok := c.(Unknown); ok {
		return "", unknown.problem() + "; " + v.expected(string(unknown))
	}
	custom, isCustom := c.(Custom)
	if isCustom && v.kind(custom.kind.Name) != custom.kind {
		return "", "its kind is not in the vocabulary; pass the one that made it to macaroon.WithVocabulary or ConfineIn"
	}
	text = c.String()
	if !isCustom && v.tooLong(text) {
		return "", v.longList()
	}
	if problem := c.problem(); problem != "" {
		return "", problem
	}
	if !isText(text) {
		return "", "its text must be valid UTF-8"
	}
	return text, ""
}

// expected describes the right form for a text that is not a caveat.
func (v *Vocabulary) expected(text string) string {
	head, _, _ := strings.Cut(text, " ")
	r := v.language().byHead[head]
	if end := strings.IndexAny(head, "=<!"); r == nil && end >= 0 { // no space in front of the operator
		head = head[:end]
		r = v.language().byHead[head]
	}
	switch {
	case r != nil && v.tooLong(text):
		return v.longList()
	case r != nil:
		return "its kind has the form " + r.text
	case v.kind(head) != nil:
		return "its kind has the form " + head + " = VALUE"
	}
	return "its kind must be one of " + v.kindsBy(func(r row) string { return r.head })
}

// kindsBy lists the kinds of caveats, those of an application last.
func (v *Vocabulary) kindsBy(name func(row) string) string {
	var names []string
	for _, r := range v.language().rows {
		names = append(names, name(r))
	}
	if v != nil {
		names = append(names, slices.Sorted(maps.Keys(v.kinds))...)
	}
	return strings.Join(names, ", ")
}

// tooLong reports whether a list in the text has too many entries.
func (v *Vocabulary) tooLong(text string) bool {
	return len(text) > v.limit() && strings.Count(text, separator) >= v.limit()
}

func (v *Vocabulary) longList() string {
	return fmt.Sprintf("its list has more than %d entries", v.limit())
}

// isText reports whether the string survives JSON unchanged. JSON decoders
// replace invalid UTF-8 by U+FFFD, so a string with that character is
// ambiguous.
func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\uFFFD") }

func badCaveat(c any, problem string) error {
	err := errors.BadValueCaveat(c)
	err.Description = "Bad value: provided caveat is not valid: " + problem + "."
	return err
}
