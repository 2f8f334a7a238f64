package rest

import (
	"strings"

	"github.com/onezone-go/onezone/caveat"
)

// resource returns the GRI that a pattern describes, in whose id and aspect
// {name} stands for the value of that name. The error is badGRI.
//
// A value may hold what no GRI can say, such as a dot in an id, and must not be
// taken for anything but itself. No api caveat can name such a resource; it is
// given a name that none can have, which leaves it to the wildcards.
func resource(pattern string, value func(name string) string) (caveat.GRI, error) {
	g, err := caveat.ParseGRI(pattern)
	if err != nil {
		return caveat.GRI{}, err
	}
	g.ID = expand(g.ID, ".", value)
	g.Aspect = expand(g.Aspect, ".:,", value)
	return g, nil
}

// expand replaces each {name} of a pattern by its value. Where the value holds
// one of the special characters, or has a meaning of its own as a whole, it is
// made to hold a slash, which no match spec can.
func expand(pattern, special string, value func(name string) string) string {
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
		v := value(name)
		if v == "*" || v == "null" || strings.ContainsAny(v, special) {
			b.WriteByte('/')
			v = strings.Map(func(r rune) rune {
				if strings.ContainsRune(special, r) {
					return '/'
				}
				return r
			}, v)
		}
		b.WriteString(v)
		pattern = after
	}
}
