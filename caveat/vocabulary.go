package caveat

import (
	"fmt"
	"maps"
	"strings"
	"unicode/utf8"

	"github.com/onezone-go/onezone/errors"
)

// DefaultMaxEntries is how many entries a list in a caveat may have, unless a
// vocabulary says otherwise.
const DefaultMaxEntries = 4096

// Vocabulary is a set of caveats that are understood: the thirteen of the
// Onezone language, always, and those that an application adds. It is
// immutable and safe for concurrent use. A nil *Vocabulary and the zero
// Vocabulary are the Onezone language alone.
type Vocabulary struct {
	kinds      map[string]*Kind
	maxEntries int
}

// NewVocabulary returns the Onezone language with the given kinds added. The
// error is badData {key "kind"}: a name is not of the form that [Kind] asks for,
// belongs to Onezone or is given twice, or a kind has no Satisfied function.
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
// have at most n entries. An n below 1 is taken for 1: no list is empty.
func (v *Vocabulary) LimitEntries(n int) *Vocabulary {
	limited := &Vocabulary{maxEntries: max(n, 1)}
	if v != nil {
		limited.kinds = maps.Clone(v.kinds)
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

// Parse reads a caveat text as it stands in a token. A text outside the
// vocabulary, one that is not UTF-8 and a list with too many entries are
// returned as [Unknown] together with the error tokenCaveatUnknown {caveat}: who
// only shows the token ignores the error, who verifies it stops.
func (v *Vocabulary) Parse(text string) (Caveat, error) {
	if utf8.ValidString(text) {
		if c, ok := v.parse(text); ok {
			return c, nil
		}
	}
	return Unknown(text), errors.TokenCaveatUnknown(text)
}

// parse dispatches on the first word, so that no caveat can be taken for
// another that begins alike.
func (v *Vocabulary) parse(text string) (Caveat, bool) {
	head, rest, _ := strings.Cut(text, " ")
	if k := v.kind(head); k != nil {
		value, ok := strings.CutPrefix(rest, "= ")
		c := Custom{k, value}
		return c, ok && c.problem() == ""
	}
	// Counting first keeps a hostile list from being built only to be refused.
	if len(rest) > v.limit() && strings.Count(rest, separator) >= v.limit() {
		return nil, false
	}
	switch head {
	case "time":
		return boxed(parseTime(rest))
	case "geo.country":
		return parseCountry(rest)
	case "geo.region":
		return parseRegion(rest)
	case "authorization":
		return IdentityOnly{}, text == IdentityOnly{}.String()
	case "data.readonly":
		return DataReadonly{}, text == DataReadonly{}.String()
	}
	value, ok := strings.CutPrefix(rest, "= ")
	if !ok {
		return nil, false
	}
	switch head {
	case "ip":
		return boxed(parseIP(nil, value))
	case "asn":
		return parseASN(value)
	case "interface":
		return boxed(ParseInterface(value))
	case "service":
		return parseServices(value)
	case "consumer":
		return parseConsumers(value)
	case "api":
		return parseAPI(value)
	case "data.path":
		return parseDataPath(value)
	case "data.objectid":
		return parseDataObjectID(value)
	}
	return nil, false
}

// boxed makes a caveat of the value that was read.
func boxed[C Caveat](c C, ok bool) (Caveat, bool) { return c, ok }

// MustParse is [Parse] for constants of a program: it panics where Parse
// returns an error.
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

// Validate reports whether the caveat may enter a new token: it says something
// that can hold, its list is neither empty nor too long, and its text reads back
// as the same caveat. Reading tokens is more lenient than this. The error is
// badValueCaveat {caveat}; its description says what is wrong.
func (v *Vocabulary) Validate(c Caveat) error {
	_, err := v.Text(c)
	return err
}

// Text returns the text of a caveat that may enter a new token, and the error of
// [Vocabulary.Validate] for one that may not.
func (v *Vocabulary) Text(c Caveat) (string, error) {
	c = own(c)
	text, problem := v.text(c)
	if problem != "" {
		return "", badCaveat(c, problem)
	}
	return text, nil
}

// text returns the text of the caveat, or says why it may not enter a new token.
func (v *Vocabulary) text(c Caveat) (text, problem string) {
	if c.entries() > v.limit() {
		return "", fmt.Sprintf("its list has more than %d entries", v.limit())
	}
	if custom, ok := c.(Custom); ok && v.kind(custom.kind.Name) != custom.kind {
		return "", "its kind is not in the vocabulary"
	}
	if problem := c.problem(); problem != "" {
		return "", problem
	}
	if text = c.String(); !isText(text) {
		return "", "its text must be valid UTF-8"
	}
	return text, ""
}

// isText reports whether the string survives JSON, which puts U+FFFD in the
// place of what is not UTF-8: with that character it is not known what was meant.
func isText(s string) bool { return !strings.ContainsRune(s, utf8.RuneError) }

func badCaveat(c any, problem string) error {
	err := errors.BadValueCaveat(c)
	err.Description = "Bad value: provided caveat is not valid: " + problem + "."
	return err
}
