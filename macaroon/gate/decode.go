package gate

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	// TOML, which the standard library does not read.
	"github.com/pelletier/go-toml/v2"
	// The lines of keys, which the package above reports for its own errors only.
	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/onezone-go/onezone/internal/nearest"
)

// document is a file of rules as it is written.
type document struct {
	Proxy   string     `toml:"proxy"`
	Prefix  string     `toml:"prefix"`
	Service string     `toml:"service"`
	Rules   []ruleText `toml:"rule"`

	file  string
	lines map[position]int
	errs  []error
}

// ruleText is a [[rule]] as it is written.
type ruleText struct {
	Path    string   `toml:"path"`
	Methods []string `toml:"methods"`
	Allow   []string `toml:"allow"`
	API     string   `toml:"api"`
	Read    string   `toml:"read"`
	Write   string   `toml:"write"`
}

// The keys of a document and of a rule.
var (
	topKeys  = []string{"proxy", "prefix", "service", "rule"}
	ruleKeys = []string{"path", "methods", "allow", "api", "read", "write"}
)

// position is a key of a rule, which is given by its index, or of the top. The
// empty key of a rule is its header.
type position struct {
	rule int
	key  string
}

// top is the rule of positions outside of rules.
const top = -1

// decode parses the text and checks the keys and the types of their values.
func decode(file string, text []byte) (*document, error) {
	d := &document{file: file, lines: make(map[position]int)}
	if err := toml.Unmarshal(text, &struct{}{}); err != nil { // the syntax alone
		return nil, d.positioned(err)
	}
	if d.index(text); len(d.errs) > 0 {
		return nil, errors.Join(d.errs...)
	}
	if err := toml.Unmarshal(text, d); err != nil {
		return nil, d.positioned(err)
	}
	return d, nil
}

// positioned adds the file, the line and the key to an error of package toml.
func (d *document) positioned(err error) error {
	bad, ok := errors.AsType[*toml.DecodeError](err)
	if !ok {
		return fmt.Errorf("%s: %w", d.file, err)
	}
	line, _ := bad.Position()
	message := strings.TrimPrefix(bad.Error(), "toml: ")
	if key := bad.Key(); len(key) > 0 {
		message = key[len(key)-1] + ": " + message
	}
	return fmt.Errorf("%s:%d: %s", d.file, line, message)
}

// index notes the line of each key, and reports keys that are unknown or are
// written in another form than in the package documentation.
func (d *document) index(text []byte) {
	var p unstable.Parser
	p.Reset(text)
	rule := top
	for p.NextExpression() {
		e := p.Expression()
		key, line := keyOf(&p, e)
		switch {
		case e.Kind == unstable.ArrayTable && key == "rule":
			rule++
			d.lines[position{rule, ""}] = line
		case e.Kind == unstable.ArrayTable || e.Kind == unstable.Table:
			d.errs = append(d.errs, fmt.Errorf("%s:%d: %s: the only table is [[rule]], with two brackets", d.file, line, key))
			return
		case rule == top && key == "rule":
			d.errs = append(d.errs, fmt.Errorf("%s:%d: rule: each rule begins with a line [[rule]]", d.file, line))
			return
		case e.Kind == unstable.KeyValue:
			d.lines[position{rule, key}] = line
			d.checkKey(rule, key)
		}
	}
}

// keyOf returns the key of an expression, with dots between its parts, and its
// line.
func keyOf(p *unstable.Parser, e *unstable.Node) (key string, line int) {
	var parts []string
	for it := e.Key(); it.Next(); {
		if line == 0 {
			line = p.Shape(it.Node().Raw).Start.Line
		}
		parts = append(parts, string(it.Node().Data))
	}
	return strings.Join(parts, "."), line
}

func (d *document) checkKey(rule int, key string) {
	known, where := topKeys, "above the first [[rule]]"
	if rule != top {
		known, where = ruleKeys, "of a rule"
	}
	if !slices.Contains(known, key) {
		d.fail(rule, key, "unknown key%s; the keys %s are %s", suggest(key, known), where, strings.Join(known, ", "))
	}
}

// has reports whether the document has a key.
func (d *document) has(rule int, key string) bool { return d.lines[position{rule, key}] > 0 }

// line returns the line of a key, or of the rule if it does not have the key.
func (d *document) line(rule int, key string) int {
	if line := d.lines[position{rule, key}]; line > 0 {
		return line
	}
	return d.lines[position{rule, ""}]
}

// fail reports a mistake.
func (d *document) fail(rule int, key, format string, args ...any) {
	where := d.file
	if line := d.line(rule, key); line > 0 {
		where = fmt.Sprintf("%s:%d", d.file, line)
	}
	d.errs = append(d.errs, fmt.Errorf("%s: %s: %s", where, key, fmt.Sprintf(format, args...)))
}

// quoted returns the texts in quotes, with a conjunction before the last.
func quoted(conjunction string, texts ...string) string {
	var b strings.Builder
	for i, text := range texts {
		switch {
		case i > 0 && i == len(texts)-1:
			b.WriteString(" " + conjunction + " ")
		case i > 0:
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", text)
	}
	return b.String()
}

// suggest returns a question with the known name that is nearest to a text, or
// "" if none is near.
func suggest(text string, known []string) string {
	if name := nearest.Name(text, known); name != "" {
		return fmt.Sprintf("; did you mean %q?", name)
	}
	return ""
}
