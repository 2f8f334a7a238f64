package caveat

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"github.com/onezone-go/onezone/errors"
)

// separator separates the entries of a list in a caveat text.
const separator = "|"

// listText returns the parser of a caveat that is a list of entries, each read
// by parse.
func listText[C interface {
	~[]E
	Caveat
}, E any](parse func(string) (E, error)) func(rest string) (Caveat, bool) {
	return func(rest string) (Caveat, bool) {
		list, ok := parseList(rest, parse)
		return C(list), ok
	}
}

// parseList reads the entries of the list after " = ". It fails if an entry
// cannot be parsed or the text is empty.
func parseList[E any](rest string, parse func(string) (E, error)) ([]E, bool) {
	text, found := strings.CutPrefix(rest, " = ")
	if !found || text == "" {
		return nil, false
	}
	list := make([]E, 0, strings.Count(text, separator)+1)
	for entry := range strings.SplitSeq(text, separator) {
		e, err := parse(entry)
		if err != nil {
			return nil, false
		}
		list = append(list, e)
	}
	return list, true
}

// errEntry reports a bad entry of a list. Clients do not see it: they get the
// form of the caveat instead.
var errEntry = errors.New("not a valid entry of the list")

func verbatim(entry string) (string, error) { return entry, nil }

// joinList appends the list to the head of its caveat.
func joinList[E any](head string, list []E, write func(b []byte, e E) []byte) string {
	var stack [256]byte
	b := append(stack[:0], head...)
	for i, e := range list {
		if i > 0 {
			b = append(b, separator...)
		}
		b = write(b, e)
	}
	return string(b)
}

func writeText(b []byte, text string) []byte             { return append(b, text...) }
func writeStringer[E fmt.Stringer](b []byte, e E) []byte { return append(b, e.String()...) }

func texts[E fmt.Stringer](list []E) []string {
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = e.String()
	}
	return out
}

// whitelistJSON writes the object form that most lists share.
func whitelistJSON[E any](t Type, list []E) ([]byte, error) {
	return json.Marshal(struct {
		Type      Type `json:"type"`
		Whitelist []E  `json:"whitelist"`
	}{t, list})
}

// maxShown is how many entries of a list a description quotes.
const maxShown = 16

// quoted lists the entries for a description, at most maxShown of them.
func quoted(list []string) string {
	shown := list[:min(len(list), maxShown)]
	var b strings.Builder
	for i, e := range shown {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%.80q", e)
	}
	if rest := len(list) - len(shown); rest > 0 {
		fmt.Fprintf(&b, " and %d more", rest)
	}
	return b.String()
}

// idProblem returns why an id may not enter a new caveat. Rejected ids would
// not read back unchanged, or would not fit in a token.
func idProblem(id string) string {
	switch {
	case id == "":
		return "an id must not be empty"
	case strings.Contains(id, "/") || strings.ContainsFunc(id, isForbiddenRune):
		return `an id must not hold "|", "/" or control characters`
	}
	return ""
}

// isForbiddenRune reports whether new list entries may not hold the character.
// It would split the list or the line that displays it.
func isForbiddenRune(r rune) bool { return r == '|' || unicode.IsControl(r) }

// firstProblem returns the problem of an empty list or of its first bad entry.
func firstProblem[E any](list []E, problem func(E) string) string {
	if len(list) == 0 {
		return "the list must not be empty"
	}
	for _, e := range list {
		if p := problem(e); p != "" {
			return p
		}
	}
	return ""
}
