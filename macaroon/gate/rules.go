package gate

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/onezone-go/onezone/caveat"
)

// Limits of a file of rules.
const (
	maxFile  = 1 << 20 // bytes
	maxRules = 1000
)

// Rules decide which requests of clients are allowed. They are immutable.
type Rules struct {
	proxy   proxy
	prefix  string
	service caveat.Service // zero: the default of package rest
	rules   []*rule
	tree    node
}

// ReadRules reads a file of rules. For a bad file it returns the joined errors
// of [ParseRules].
func ReadRules(file string) (*Rules, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("open the rules: %w", err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read the rules: %w", err)
	}
	return ParseRules(filepath.Base(file), text)
}

// ParseRules parses the text of a file of rules, whose name is for errors. The
// error joins one error for each mistake that was found, in the form
// "FILE:LINE: KEY: MESSAGE".
func ParseRules(file string, text []byte) (*Rules, error) {
	if len(text) > maxFile {
		return nil, fmt.Errorf("%s: the file has more than %d bytes", file, maxFile)
	}
	d, err := decode(file, text)
	if err != nil {
		return nil, err
	}
	rules := d.compile()
	if len(d.errs) > 0 {
		return nil, errors.Join(d.errs...)
	}
	return rules, nil
}

// compile checks the values of a document. It reports mistakes with d.fail.
func (d *document) compile() *Rules {
	r := &Rules{prefix: d.Prefix}
	var known bool
	if r.proxy, known = proxies[d.Proxy]; !known {
		d.fail(top, "proxy", "must be %s%s", quoted("or", proxyNames...), suggest(d.Proxy, proxyNames))
	}
	if d.has(top, "prefix") {
		d.checkPrefix(r.proxy)
	}
	if d.has(top, "service") {
		var err error
		if r.service, err = caveat.ParseService(d.Service); err != nil || r.service.ID == "" || r.service.ID == "*" {
			d.fail(top, "service", `%q must be a service, such as "opw-ID" or "ozw-onezone"`, d.Service)
		}
	}
	switch {
	case len(d.Rules) == 0:
		d.fail(top, "rule", "there is none, so every request would be refused; write [[rule]]")
	case len(d.Rules) > maxRules:
		d.fail(top, "rule", "there are %d, the limit is %d", len(d.Rules), maxRules)
		return r
	}
	for i := range d.Rules {
		if one := d.rule(i); one != nil {
			r.rules = append(r.rules, one)
		}
	}
	d.checkAmbiguity(r.rules)
	for _, one := range r.rules {
		d.enter(r.tree.add(one.pattern), one)
	}
	r.tree.unreachable(func(m *methods) {
		for _, one := range m.rules {
			d.fail(one.index, "path", "%q matches no request, because rules with more specific paths match them all", one.pattern.text)
			break
		}
	})
	return r
}

func (d *document) checkPrefix(p proxy) {
	path, why := cleanPath(d.Prefix)
	switch {
	case p.methodHeader != "" || p.name == "":
		d.fail(top, "prefix", "only Envoy sends a prefix in front of the path: it needs proxy = \"envoy\"")
	case why != "":
		d.fail(top, "prefix", "%q: %s", d.Prefix, why)
	case path != d.Prefix:
		d.fail(top, "prefix", "%q must be written %q", d.Prefix, path)
	}
}

// enter adds a rule to those of its pattern. Each method may have one rule.
func (d *document) enter(m *methods, r *rule) {
	for _, method := range r.methods {
		if other := m.rules[method]; other != nil && other != r {
			d.fail(r.index, "methods", "%s is also listed by the rule at line %d, whose path %q is equal; GET includes HEAD",
				method, d.line(other.index, "methods"), other.pattern.text)
			return
		}
		m.rules[method] = r
	}
}

// checkAmbiguity reports rules that match the same request although neither is
// more specific.
func (d *document) checkAmbiguity(rules []*rule) {
	for i, r := range rules {
		for _, earlier := range rules[:i] {
			if path, ok := overlap(earlier.pattern, r.pattern); ok {
				d.fail(r.index, "path", "%q and %q at line %d both match %q, and neither is more specific; change one of them",
					r.pattern.text, earlier.pattern.text, d.line(earlier.index, "path"), path)
				break
			}
		}
	}
}

// knownMethods are the methods that rules may list. The gate refuses all
// others. COPY and MOVE are not among them, because they name a second path,
// which the gate would not check.
var knownMethods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
	"PROPFIND", "PROPPATCH", "MKCOL", "LOCK", "UNLOCK", "REPORT", "SEARCH",
}

// readingMethods are the known methods that change no file.
var readingMethods = []string{http.MethodGet, http.MethodHead, http.MethodOptions, "PROPFIND", "REPORT", "SEARCH"}

// find returns the rule for a request and its decoded path. If no rule
// matches, why says the reason.
func (r *Rules) find(method, target string) (found *rule, path, why string) {
	path, why = cleanPath(target)
	switch {
	case why != "":
		return nil, "", why
	case !slices.Contains(knownMethods, method):
		return nil, "", "the method is not one of " + strings.Join(knownMethods, ", ")
	}
	m := r.tree.find(strings.TrimPrefix(path, "/"))
	if m == nil {
		return nil, "", "no rule matches the path"
	}
	if found = m.of(method); found == nil {
		return nil, "", fmt.Sprintf("no rule with the path %q lists the method", m.pattern.text)
	}
	return found, path, ""
}
