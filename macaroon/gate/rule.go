package gate

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/internal/gripattern"
)

// rule is a checked [[rule]].
type rule struct {
	index     int
	where     string // FILE:LINE
	pattern   pattern
	methods   []string
	anonymous bool
	subjects  []caveat.Subject // nil: every client
	api       *operation       // nil: the rule takes identity tokens
	file      string           // template of the file that the request accesses, or ""
	access    caveat.Access
}

// operation is what the caveats of the token must allow.
type operation struct {
	service   caveat.ServiceType
	operation caveat.Operation
	gri       string // template
}

// Words in allow that are not subjects.
const (
	allowAnonymous = "anonymous"
	allowClient    = "client"
)

// rule checks the rule with the index. It returns nil if the path is bad,
// because the other rules cannot be compared with it.
func (d *document) rule(i int) *rule {
	text := d.Rules[i]
	r := &rule{index: i, where: fmt.Sprintf("%s:%d", d.file, d.line(i, ""))}
	var err error
	if !d.has(i, "path") {
		d.fail(i, "path", `it is missing; write path = "/NAME/{rest...}"`)
		return nil
	}
	if r.pattern, err = parsePattern(text.Path); err != nil {
		d.fail(i, "path", "%v", err)
		return nil
	}
	d.setMethods(r, text.Methods)
	d.setAllow(r, text.Allow)
	if d.has(i, "api") {
		d.setAPI(r, text.API)
	}
	d.setFile(r, text)
	if r.anonymous && (d.has(i, "api") || r.file != "") {
		d.fail(i, "allow", `everybody may make the request, so api, read and write would be ignored; use ["client"]`)
	}
	return r
}

func (d *document) setMethods(r *rule, texts []string) {
	switch {
	case len(texts) == 0:
		d.fail(r.index, "methods", `it is missing or empty; write methods = ["GET"], or ["*"] for all`)
	case slices.Contains(texts, anyMethod) && len(texts) > 1:
		d.fail(r.index, "methods", `"*" stands for all methods and must be the only one`)
	}
	for i, text := range texts {
		switch {
		case text != anyMethod && !slices.Contains(knownMethods, text):
			d.fail(r.index, "methods", "%q is not one of %s%s", text, strings.Join(knownMethods, ", "), suggest(text, knownMethods))
			continue
		case slices.Contains(texts[:i], text):
			d.fail(r.index, "methods", "%q is listed twice", text)
		}
		if r.methods = append(r.methods, text); text == http.MethodGet && !slices.Contains(texts, http.MethodHead) {
			r.methods = append(r.methods, http.MethodHead)
		}
	}
}

func (d *document) setAllow(r *rule, texts []string) {
	if len(texts) == 0 {
		d.fail(r.index, "allow", `it is missing or empty; write ["anonymous"], ["client"], or subjects such as ["usr-ID"]`)
	}
	for _, text := range texts {
		if text == allowAnonymous || text == allowClient {
			if r.anonymous = text == allowAnonymous; len(texts) > 1 {
				d.fail(r.index, "allow", "%q includes the others and must be alone", text)
			}
			continue
		}
		subject, err := caveat.ParseSubject(text)
		switch {
		case err != nil || subject.ID == "" || subject.Type != caveat.SubjectUser && subject.Type != caveat.SubjectProvider:
			d.fail(r.index, "allow", `%q must be "anonymous", "client", "usr-ID" or "prv-ID"%s`,
				text, suggest(text, []string{allowAnonymous, allowClient}))
		case slices.Contains(r.subjects, subject):
			d.fail(r.index, "allow", "%q is listed twice", text)
		}
		r.subjects = append(r.subjects, subject)
	}
}

func (d *document) setAPI(r *rule, text string) {
	service, after, _ := strings.Cut(text, "/")
	name, gri, _ := strings.Cut(after, "/")
	o := &operation{gri: gri}
	var errService, errOperation error
	o.service, errService = caveat.ParseServiceType(service)
	o.operation, errOperation = caveat.ParseOperation(name)
	_, errGRI := caveat.ParseGRI(gri)
	switch {
	case errService != nil:
		d.fail(r.index, "api", "%q must begin with the service ozw, ozp, opw or opp, as in \"opw/get/file.{id}.content\"", text)
	case errOperation != nil:
		d.fail(r.index, "api", "%q must have the operation create, get, update or delete, as in \"opw/get/file.{id}.content\"", text)
	case errGRI != nil:
		d.fail(r.index, "api", "%q must end with TYPE.ID.ASPECT:SCOPE without wildcards, as in \"opw/get/file.{id}.content\"", text)
	default:
		d.checkNames(r, "api", gri)
	}
	r.api = o
}

func (d *document) setFile(r *rule, text ruleText) {
	key := "read"
	r.file, r.access = text.Read, caveat.Read
	if d.has(r.index, "write") {
		key = "write"
		r.file, r.access = text.Write, caveat.Write
	}
	if !d.has(r.index, key) {
		return
	}
	switch {
	case d.has(r.index, "read") && d.has(r.index, "write"):
		d.fail(r.index, "write", "a rule has either read or write")
	case !d.has(r.index, "api"):
		d.fail(r.index, key, "it needs api, because only access tokens have data caveats")
	case !strings.HasPrefix(r.file, "/"):
		d.fail(r.index, key, "%q must begin with a slash, as in \"/{space}/{path}\"", r.file)
	default:
		d.checkFile(r, key)
	}
	if r.access == caveat.Read {
		for _, method := range r.methods {
			if !slices.Contains(readingMethods, method) {
				d.fail(r.index, key, "%s may change the file; write a rule for it with write", method)
			}
		}
	}
}

// checkFile checks the template of a file.
func (d *document) checkFile(r *rule, key string) {
	for part := range strings.SplitSeq(r.file[1:], "/") {
		inner, _ := strings.CutPrefix(part, "{")
		inner, whole := strings.CutSuffix(inner, "}")
		if why := unsafeName(part); why != "" {
			d.fail(r.index, key, "%q: %s", r.file, why)
			return
		}
		if strings.ContainsAny(part, "{}") && (!whole || part != "{"+inner+"}") {
			d.fail(r.index, key, "%q: %q must be a plain name, or {NAME} as a whole", r.file, part)
			return
		}
	}
	d.checkNames(r, key, r.file)
}

// checkNames checks that each {NAME} of a template is a value of the path.
func (d *document) checkNames(r *rule, key, template string) {
	for after := template; ; {
		before, inner, opened := strings.Cut(after, "{")
		name, rest, closed := strings.Cut(inner, "}")
		switch {
		case strings.Contains(before, "}") || opened != closed || strings.Contains(name, "{"):
			d.fail(r.index, key, "%q has a brace without its partner", template)
			return
		case !opened:
			return
		case !r.pattern.has(name):
			d.fail(r.index, key, "the path %q has no {%s}%s", r.pattern.text, name, suggest(name, r.pattern.names()))
			return
		}
		after = rest
	}
}

// allows reports whether the rule is for the subject of a client.
func (r *rule) allows(subject caveat.Subject) bool {
	return r.subjects == nil || slices.Contains(r.subjects, subject)
}

// fileOf returns the file that a request accesses. The values of the path have
// neither empty names nor "..", so the file is clean without the slash that an
// empty rest leaves. It is unknown if the path names no file at all.
func (r *rule) fileOf(value func(name string) string) caveat.File {
	return caveat.File{Path: strings.TrimSuffix(gripattern.Replace(r.file, value), "/")}
}
