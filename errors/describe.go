package errors

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits in bytes on a description, on a list or an object in it, and on one
// string.
const (
	maxDescription = 1000
	maxComposite   = 400
	maxString      = 200
)

// Marks that replace a part that was cut: inside a description, and at its end.
const (
	ellipsis = "..."
	cutMark  = " (...)"
)

// describe returns the description of an error, for any details.
func describe(id ID, d details) string {
	entry, _ := lookup(id)
	for _, s := range entry.variants {
		if s.needs != "" && resolve(d, s.needs) == nil {
			continue
		}
		if words, ok := s.render(d); ok {
			return endSentence(words)
		}
	}
	if id == "" {
		return "The operation failed with an unknown error."
	}
	return endSentence(fmt.Sprintf("The operation failed with the error %s.", quote(string(id))))
}

// render fills in the template. It reports false if a value that it mentions is
// missing.
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
			words.WriteString(sanitize(s))
		} else {
			words.WriteString(formatValue(value))
		}
	}
}

// resolve returns the value at a dotted path in the details, nil if it is
// missing.
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

// formatValue formats a value for a description: strings in double quotes, lists
// separated by commas, objects as JSON, nested errors as their description
// without its final period.
func formatValue(value any) string {
	switch v := value.(type) {
	case string:
		return quote(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case []any:
		return enumerate(v)
	case *Error:
		return strings.TrimSuffix(endSentence(sanitize(v.description())), ".")
	default:
		raw, err := json.Marshal(v)
		if err != nil {
			return "(unprintable)"
		}
		return cut(sanitize(string(raw)), maxComposite)
	}
}

// enumerate formats the items of a list that fit, and the number of the others.
func enumerate(items []any) string {
	var words strings.Builder
	for i, item := range items {
		word := formatValue(item)
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

// quote returns the string in double quotes, with unprintable characters
// escaped.
func quote(s string) string { return strconv.Quote(cut(s, maxString)) }

// sanitize returns the text as safe for a log line: valid UTF-8, cut, with spaces
// for unprintable characters.
func sanitize(s string) string {
	printable := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, cut(s, maxDescription))
	return cut(printable, maxDescription) // replacing invalid UTF-8 made it longer
}

// endSentence returns the words with exactly one period at the end, after a mark if
// they were cut.
func endSentence(words string) string {
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

// cut shortens s to at most limit bytes, at a character boundary.
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
