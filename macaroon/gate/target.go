package gate

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// cleanPath returns the decoded path of a request target, without a slash at
// its end; "/" is "". why says what is wrong with a target that programs could
// read in several ways, or is "".
func cleanPath(target string) (path, why string) {
	raw, _, _ := strings.Cut(target, "?")
	switch {
	case !strings.HasPrefix(raw, "/"):
		return "", "the path must begin with a slash"
	case strings.Contains(raw, "#"):
		return "", "the path must not have a fragment"
	case strings.Contains(raw, " "):
		return "", "the path must not contain unencoded spaces"
	case containsEscape(raw, "2F"):
		return "", "the path must not contain encoded slashes"
	}
	path, err := url.PathUnescape(raw)
	if err != nil {
		return "", "the path has a percent sign without two hexadecimal digits"
	}
	path = strings.TrimSuffix(path, "/")
	if path == "" || isPlain(path) {
		return path, ""
	}
	for name := range strings.SplitSeq(path[1:], "/") {
		if why := unsafeName(name); why != "" {
			return "", why
		}
	}
	return path, ""
}

// isPlain reports, for most paths without looking at each name, that all names
// of a path are safe.
func isPlain(path string) bool {
	before := byte('x')
	for i := range len(path) {
		c := path[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && c != '-' && c != '_' && c != '/' && c != '.' || before == '/' && (c == '/' || c == '.') {
			return false
		}
		before = c
	}
	return before != '/'
}

// unsafeName says why a decoded name may be read in several ways; "" if it may
// not.
func unsafeName(name string) string {
	switch {
	case name == "":
		return "the path must not contain empty names"
	case name == "." || name == "..":
		return `the path must not contain the names "." and ".."`
	case strings.Contains(name, `\`):
		return "the path must not contain backslashes"
	case strings.Contains(name, ";"):
		return "the path must not contain semicolons, which begin parameters for some programs"
	case strings.ContainsFunc(name, unicode.IsControl):
		return "the path must not contain control characters"
	case !utf8.ValidString(name):
		return "the path must be UTF-8"
	case containsEscape(name, ""):
		return "the path must not be encoded twice"
	}
	return ""
}

// containsEscape reports whether the text contains a percent sign and the given
// two digits, in any case; "" stands for any two hexadecimal digits.
func containsEscape(text, digits string) bool {
	for {
		var found bool
		if _, text, found = strings.Cut(text, "%"); !found {
			return false
		}
		if len(text) >= 2 && (digits == "" && isHex(text[0]) && isHex(text[1]) || strings.EqualFold(text[:2], digits)) {
			return true
		}
	}
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
