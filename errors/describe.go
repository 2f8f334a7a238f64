package errors

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits on descriptions, in bytes: of the whole, of a list or an object in it, and of one string.
const (
	maxDescription = 1000
	maxComposite   = 400
	maxString      = 200
)

// Marks of what was cut: inside a description, and at the end of one before its
// final period.
const (
	ellipsis = "..."
	cutMark  = " (...)"
)

// describe words the description of an error. It has words for anything, whatever the details hold.
func describe(id ID, d details) string {
	entry, _ := lookup(id)
	for _, s := range entry.says {
		if s.needs != "" && resolve(d, s.needs) == nil {
			continue
		}
		if words, ok := s.render(d); ok {
			return finish(words)
		}
	}
	if id == "" {
		return "The operation failed with an error that is not known here."
	}
	return finish(fmt.Sprintf("The operation failed with the error %s.", quote(string(id))))
}

// render fills in the template. It reports false if a value that it mentions is missing.
func (s sentence) render(d details) (string, bool) {
	var words strings.Builder
	rest := s.text
	for {
		before, after, found := strings.Cut(rest, "{")
		words.WriteString(before)
		if !found {
			return words.String(), true
		}
		var path string
		path, rest, _ = strings.Cut(after, "}")
		path, unquoted := strings.CutPrefix(path, "text:")
		value := resolve(d, path)
		if value == nil {
			return "", false
		}
		if s, ok := value.(string); ok && unquoted {
			words.WriteString(plain(s))
		} else {
			words.WriteString(inWords(value))
		}
	}
}

// resolve finds the value at a dotted path in the details. It is nil if there is none.
func resolve(d details, path string) any {
	var value any = d
	for key := range strings.SplitSeq(path, ".") {
		members, _ := value.(map[string]any)
		value = members[key]
	}
	if e, ok := value.(*Error); ok && e == nil {
		return nil
	}
	return value
}

// inWords prints a value for a description: strings in double quotes, lists separated by commas, objects as JSON,
// nested errors as their description without its final period.
func inWords(value any) string {
	switch v := value.(type) {
	case string:
		return quote(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case []any:
		return enumerate(v)
	case *Error:
		return strings.TrimSuffix(finish(plain(v.description())), ".")
	default:
		raw, err := json.Marshal(v)
		if err != nil {
			return "(unprintable)"
		}
		return cut(plain(string(raw)), maxComposite)
	}
}

// enumerate prints as many items of a list as fit, and the number of the others.
func enumerate(items []any) string {
	var words strings.Builder
	for i, item := range items {
		word := inWords(item)
		if words.Len()+len(word) > maxComposite {
			fmt.Fprintf(&words, "%s and %d more", ellipsis, len(items)-i)
			break
		}
		if i > 0 {
			words.WriteString(", ")
		}
		words.WriteString(word)
	}
	if words.Len() == 0 {
		return "(none)"
	}
	return words.String()
}

// quote prints a string in double quotes, with what does not print escaped.
func quote(s string) string { return strconv.Quote(cut(s, maxString)) }

// plain makes a text fit for a log line: valid UTF-8, cut, with what does not print as spaces.
func plain(s string) string {
	printable := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, cut(s, maxDescription))
	return cut(printable, maxDescription) // what is not UTF-8 has grown
}

// finish makes sentences of words: with exactly one period at the end, and a mark before it where words were cut.
func finish(words string) string {
	words = strings.TrimRight(words, " ")
	whole := strings.TrimRight(words, " .")
	if len(whole) >= maxDescription {
		whole = cut(whole, maxDescription-len(cutMark)-1)
	}
	if strings.HasSuffix(words, ellipsis) || strings.HasSuffix(whole, ellipsis) {
		whole = strings.TrimRight(whole, " .") + cutMark
	}
	return whole + "."
}

// cut shortens s to limit bytes, not in the middle of a character.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	end := limit - len(ellipsis)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + ellipsis
}
