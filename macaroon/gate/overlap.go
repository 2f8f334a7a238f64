package gate

import "strings"

// overlap returns a path that both patterns match although neither is more
// specific than the other. ok is false if there is no such path.
//
// A pattern is more specific if every path that it matches is matched by the
// other one, too.
func overlap(p, q pattern) (path string, ok bool) {
	var b strings.Builder
	var pNarrower, qNarrower bool // in some segment
	for i := 0; ; i++ {
		s, t := p.at(i), q.at(i)
		switch {
		case s.rest || t.rest:
			pNarrower, qNarrower = pNarrower || !s.rest, qNarrower || !t.rest
			p.writeExamples(&b, i)
			q.writeExamples(&b, i) // one of them has nothing left to write
			return "/" + strings.TrimPrefix(b.String(), "/"), pNarrower && qNarrower
		case s == end || t == end:
			return b.String(), s == t && pNarrower && qNarrower
		case s.name == "" && t.name == "" && s.literal != t.literal:
			return "", false
		}
		pNarrower = pNarrower || s.name == "" && t.name != ""
		qNarrower = qNarrower || s.name != "" && t.name == ""
		if s.name != "" {
			s = t
		}
		b.WriteString("/" + s.example())
	}
}

// end is the segment behind the last one of a pattern.
var end = segment{name: "/"}

// at returns a segment in a form that is equal for all names.
func (p pattern) at(i int) segment {
	switch {
	case i >= len(p.segments):
		return end
	case p.segments[i].name != "":
		return segment{name: "x", rest: p.segments[i].rest}
	}
	return p.segments[i]
}

// example returns a name that the segment matches.
func (s segment) example() string {
	if s.name != "" {
		return "x"
	}
	return s.literal
}

// writeExamples writes names that the segments from i on match, without the
// rest.
func (p pattern) writeExamples(b *strings.Builder, i int) {
	for ; i < len(p.segments) && !p.segments[i].rest; i++ {
		b.WriteString("/" + p.segments[i].example())
	}
}
