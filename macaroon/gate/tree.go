package gate

import "strings"

// node is a node of the tree of all patterns. Each node is visited at most once
// per request, so a search takes at most as many steps as there are nodes.
type node struct {
	literals map[string]*node
	any      *node    // {NAME}
	exact    *methods // the pattern ends here
	rest     *methods // the pattern ends here with {NAME...}
}

// methods are the rules of one pattern, by method. The rule of "*" stands for
// all methods that are not listed.
type methods struct {
	pattern pattern
	rules   map[string]*rule
}

// anyMethod is the method that stands for all methods that are not listed.
const anyMethod = "*"

// add returns the methods of a pattern in the tree.
func (n *node) add(p pattern) *methods {
	end := &n.exact
	for _, s := range p.segments {
		switch {
		case s.rest:
			end = &n.rest
			continue
		case s.name != "":
			if n.any == nil {
				n.any = &node{}
			}
			n = n.any
		default:
			if n.literals == nil {
				n.literals = make(map[string]*node)
			}
			if n.literals[s.literal] == nil {
				n.literals[s.literal] = &node{}
			}
			n = n.literals[s.literal]
		}
		end = &n.exact
	}
	if *end == nil {
		*end = &methods{pattern: p, rules: make(map[string]*rule)}
	}
	return *end
}

// find returns the methods of the most specific pattern that matches the path,
// which has no slash at its beginning. It returns nil if no pattern does.
func (n *node) find(path string) *methods {
	if path == "" {
		if n.exact != nil {
			return n.exact
		}
		return n.rest
	}
	name, after, _ := strings.Cut(path, "/")
	if next := n.literals[name]; next != nil {
		if m := next.find(after); m != nil {
			return m
		}
	}
	if n.any != nil {
		if m := n.any.find(after); m != nil {
			return m
		}
	}
	return n.rest
}

// complete reports whether the patterns below the node match every path,
// without the {NAME...} of the node itself. Literals cannot: there are more
// names than patterns.
func (n *node) complete() bool {
	return n.exact != nil && n.any != nil && (n.any.rest != nil || n.any.complete())
}

// unreachable calls report with each pattern that matches no request, because
// more specific patterns match them all.
func (n *node) unreachable(report func(*methods)) {
	if n.rest != nil && n.complete() {
		report(n.rest)
	}
	for _, next := range n.literals {
		next.unreachable(report)
	}
	if n.any != nil {
		n.any.unreachable(report)
	}
}

// of returns the rule for a method, nil if there is none.
func (m *methods) of(method string) *rule {
	if r := m.rules[method]; r != nil {
		return r
	}
	return m.rules[anyMethod]
}
