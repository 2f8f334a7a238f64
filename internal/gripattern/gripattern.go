// Package gripattern builds the GRI of a resource that a request names.
package gripattern

import (
	"strings"

	"github.com/onezone-go/onezone/caveat"
)

// Expand returns the GRI of a pattern, with the value of each {name} in its id
// and aspect; see [Fill]. The error is badGRI.
func Expand(pattern string, value func(name string) string) (caveat.GRI, error) {
	g, err := caveat.ParseGRI(pattern)
	if err != nil {
		return caveat.GRI{}, err
	}
	return Fill(g, value), nil
}

// Fill returns the GRI with the value of each {name} in its id and aspect.
//
// A value may hold characters that a GRI cannot, such as a dot in an id. It
// must not match the entry of another resource. The GRI then gets a part that
// only wildcards match.
func Fill(pattern caveat.GRI, value func(name string) string) caveat.GRI {
	pattern.ID = expand(pattern.ID, ".", value)
	pattern.Aspect = expand(pattern.Aspect, ".:,", value)
	return pattern
}

// expand is Replace for a part of a GRI. A value with a special character, or
// with a meaning of its own, gets a slash, which no match spec can hold.
func expand(pattern, special string, value func(name string) string) string {
	return Replace(pattern, func(name string) string {
		v := value(name)
		if v != "*" && v != "null" && !strings.ContainsAny(v, special) {
			return v
		}
		return "/" + strings.Map(func(r rune) rune {
			if strings.ContainsRune(special, r) {
				return '/'
			}
			return r
		}, v)
	})
}

// Replace returns the pattern with each {name} replaced by its value, unchanged.
func Replace(pattern string, value func(name string) string) string {
	if !strings.Contains(pattern, "{") {
		return pattern
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(pattern, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, after, _ := strings.Cut(rest, "}")
		b.WriteString(value(name))
		pattern = after
	}
}
