package gate

import (
	"fmt"
	"strings"
)

// pattern is the path of a rule.
type pattern struct {
	text     string
	segments []segment
}

// segment is one part of a pattern. The zero name means a literal.
type segment struct {
	literal string
	name    string
	rest    bool // the remaining names of the path, which may be none
}

// parsePattern parses the path of a rule.
func parsePattern(text string) (pattern, error) {
	p := pattern{text: text}
	after, ok := strings.CutPrefix(text, "/")
	switch {
	case !ok:
		return p, fmt.Errorf("%q must begin with a slash", text)
	case after == "":
		return p, nil
	case strings.HasSuffix(after, "/"):
		return p, fmt.Errorf("%q must not end with a slash: %q matches both forms, %q also what is below",
			text, strings.TrimRight(text, "/"), text+"{rest...}")
	}
	for part := range strings.SplitSeq(after, "/") {
		s, err := parseSegment(part)
		switch {
		case err != nil:
			return p, fmt.Errorf("%q: %w", text, err)
		case len(p.segments) > 0 && p.segments[len(p.segments)-1].rest:
			return p, fmt.Errorf("%q: {NAME...} must be the last part", text)
		case s.name != "" && p.has(s.name):
			return p, fmt.Errorf("%q: the name %q occurs twice", text, s.name)
		}
		p.segments = append(p.segments, s)
	}
	return p, nil
}

// parseSegment parses the text between two slashes.
func parseSegment(text string) (segment, error) {
	inner, opened := strings.CutPrefix(text, "{")
	inner, closed := strings.CutSuffix(inner, "}")
	if opened && closed {
		name, rest := strings.CutSuffix(inner, "...")
		if !isName(name) {
			return segment{}, fmt.Errorf("%q must be {NAME} or {NAME...}, with a name of letters, digits and underscores", text)
		}
		return segment{name: name, rest: rest}, nil
	}
	if strings.ContainsAny(text, "{}*?#%") {
		return segment{}, fmt.Errorf("%q must be a plain name, decoded, or {NAME} as a whole", text)
	}
	if why := unsafeName(text); why != "" {
		return segment{}, fmt.Errorf("%q matches no request: %s", text, why)
	}
	return segment{literal: text}, nil
}

// isName reports whether the text may stand between the braces of a pattern.
func isName(text string) bool {
	for _, c := range []byte(text) {
		if c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return text != ""
}

// has reports whether the pattern has a value of the name.
func (p pattern) has(name string) bool {
	for _, s := range p.segments {
		if s.name == name {
			return true
		}
	}
	return false
}

// names returns the names of the values, as written in a pattern.
func (p pattern) names() []string {
	var names []string
	for _, s := range p.segments {
		if s.name != "" {
			names = append(names, s.name)
		}
	}
	return names
}

// bind calls set with each value of a path that the pattern matches.
func (p pattern) bind(path string, set func(name, value string)) {
	path = strings.TrimPrefix(path, "/")
	for _, s := range p.segments {
		if s.rest {
			set(s.name, path)
			return
		}
		var value string
		if value, path, _ = strings.Cut(path, "/"); s.name != "" {
			set(s.name, value)
		}
	}
}
