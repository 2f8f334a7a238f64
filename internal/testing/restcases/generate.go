package restcases

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
)

// All returns the cases of all routes.
func All() []Case {
	var list []Case
	seen := map[string]bool{}
	for _, r := range rows() {
		list = append(list, r.byClient()...)
		if seen[r.route] {
			continue
		}
		seen[r.route] = true
		list = append(list, r.successes()...)
		list = append(list, r.caveats()...)
		list = append(list, r.badInput()...)
		list = append(list, r.protocol()...)
		list = append(list, r.order()...)
	}
	return append(list, variants()...)
}

// make returns a case of the row: a changed request of its actor.
func (r row) make(g Group, name string, change func(w *Fixture, req *Request) Want) Case {
	return Case{r.route, g, name, func(w *Fixture) (Request, Want) {
		req := r.request(w.tb, w, r.actor)
		return req, change(w, &req)
	}}
}

// success returns the answer that the row's actor gets.
func (r row) success() Want {
	return Want{Status: r.status, Empty: r.status == http.StatusNoContent, Check: r.check}
}

// byClient returns a case for each kind of client.
func (r row) byClient() (list []Case) {
	for _, client := range all() {
		want, listed := r.access[client]
		c := Case{Route: r.route, Group: Refusal, Name: fmt.Sprintf("%s by %v", r.path, client)}
		var answer Want
		switch {
		case !listed && client.Type == caveat.SubjectNobody:
			answer = refused(errors.Unauthorized(nil))
		case !listed:
			answer = refused(errors.Forbidden(""))
		case want != nil:
			answer = refused(want)
		default:
			c.Group, answer = Success, r.success()
			if client != r.actor { // the check is about the tokens of the actor
				answer.Check = nil
			}
		}
		c.Make = func(w *Fixture) (Request, Want) { return r.request(w.tb, w, client), answer }
		list = append(list, c)
	}
	return list
}

// hasBody reports whether the route reads a body.
func (r row) hasBody() bool { return r.method() == http.MethodPost || r.method() == http.MethodPatch }

func (r row) successes() []Case {
	list := []Case{
		r.make(Success, "path with a trailing slash", func(_ *Fixture, req *Request) Want {
			req.Path += "/"
			return r.success()
		}),
		r.make(Success, "path with needless escapes", func(_ *Fixture, req *Request) Want {
			req.Path = strings.ReplaceAll(req.Path, "t", "%74")
			return r.success()
		}),
		r.make(Success, "answer as any type", func(_ *Fixture, req *Request) Want {
			req.Header = http.Header{"Accept": {"text/html, */*;q=0.1"}}
			return r.success()
		}),
	}
	if !r.hasBody() {
		return append(list, r.make(Success, "body is ignored", func(_ *Fixture, req *Request) Want {
			req.Body, req.Header = "not JSON", http.Header{"Content-Type": {"text/plain"}}
			return r.success()
		}))
	}
	list = append(list,
		r.make(Success, "unknown keys are ignored", r.setting("Token", `[{"deep":null}]`, r.success())),
		r.make(Success, "content type with a parameter", func(_ *Fixture, req *Request) Want {
			req.Header = http.Header{"Content-Type": {"Application/JSON; charset=utf-8"}}
			return r.success()
		}))
	if len(r.fields) == 0 { // the body may also be empty
		for _, contentType := range []string{"", "text/plain"} {
			list = append(list, r.make(Success, "no body of type "+contentType, func(_ *Fixture, req *Request) Want {
				req.Body, req.Header = "", http.Header{"Content-Type": {contentType}}
				return r.success()
			}))
		}
	}
	return list
}

// setting sets one member of the body to a JSON text.
func (r row) setting(key, value string, want Want) func(*Fixture, *Request) Want {
	return func(w *Fixture, req *Request) Want {
		body := r.body(w)
		body[key] = raw(value)
		req.Body = encode(w.tb, body)
		return want
	}
}

// raw is JSON text that is sent unchanged.
type raw string

// MarshalJSON implements json.Marshaler.
func (r raw) MarshalJSON() ([]byte, error) { return []byte(r), nil }

// caveats returns cases with tokens that are limited to a part of the API.
func (r row) caveats() (list []Case) {
	with := func(g Group, name string, want Want, specs ...string) {
		list = append(list, Case{r.route, g, name, func(w *Fixture) (Request, Want) {
			c := caveat.MustParse("api = " + strings.NewReplacer("ME", r.actor.ID).Replace(w.fill(strings.Join(specs, "|"))))
			answer := want
			if want.Status == http.StatusUnauthorized {
				answer.Error = errors.Unauthorized(caveat.Unverified(c))
			}
			return r.request(w.tb, w, r.actor, c), answer
		}})
	}
	no := Want{Status: http.StatusUnauthorized}
	other := map[string]string{"get": "create", "create": "update", "update": "delete", "delete": "get"}[r.op]
	exact := []string{"ozw/" + r.op + "/" + r.gri}
	if r.route == "GET /user/client_tokens" {
		with(Refusal, "token for one of two resources", no, exact...)
		with(Refusal, "token for the other of two resources", no, "ozw/get/token.null.user_named_tokens,ME:private")
		exact = append(exact, "ozw/get/token.null.user_named_tokens,ME:private")
	}
	with(Success, "token for just this", r.success(), exact...)
	with(Success, "token for everything", r.success(), "all/all/*.*.*:*")
	with(Refusal, "token for another operation", no, "ozw/"+other+"/"+r.gri)
	with(Refusal, "token for another service", no, "opw/"+r.op+"/"+r.gri)
	with(Refusal, "token for another resource", no, "ozw/"+r.op+"/space.*.*:*", "ozw/"+r.op+"/"+strings.Replace(r.gri, ":", "x:", 1))

	group := Refusal
	if r.route == "GET /user" { // every service may request it
		group = Success
	}
	list = append(list, Case{r.route, group, "token for a service without this API", func(w *Fixture) (Request, Want) {
		c := caveat.MustParse("service = opw-p-krakow")
		req := r.request(w.tb, w, Alice, c)
		req.Header = http.Header{"X-Onedata-Service-Token": {"opw-" + w.Transfer.String()}}
		if group == Success {
			return req, r.success()
		}
		return req, refused(errors.Unauthorized(caveat.Unverified(c)))
	}})
	return append(list, r.make(Refusal, "revoked token", func(w *Fixture, req *Request) Want {
		req.As = macaroontest.Bearer(w.Revoked())
		return refused(errors.Unauthorized(errors.TokenRevoked()))
	}))
}

// badInput returns a case for every invalid value of every field of the body.
func (r row) badInput() (list []Case) {
	for _, f := range r.fields {
		if f.required {
			list = append(list, r.make(BadInput, "no "+f.key, func(w *Fixture, req *Request) Want {
				body := r.body(w)
				delete(body, f.key)
				req.Body = encode(w.tb, body)
				return refused(errors.MissingRequiredValue(f.key))
			}))
		}
		for _, b := range f.bad {
			list = append(list, r.make(BadInput, shortened(f.key+" = "+b.value), r.broken(b.want, pair{f, b})))
		}
	}
	// Of two errors the one that is checked earlier is reported.
	for i, f := range r.fields {
		for _, later := range r.fields[i+1:] {
			if f.with[later.key] != nil {
				continue // the earlier field requires it
			}
			list = append(list, r.make(Order, f.key+" before "+later.key,
				r.broken(f.bad[0].want, pair{f, f.bad[0]}, pair{later, later.bad[0]})))
		}
	}
	return list
}

type pair struct {
	field
	bad
}

// broken sets members of the body to invalid values.
func (r row) broken(want *errors.Error, pairs ...pair) func(*Fixture, *Request) Want {
	return func(w *Fixture, req *Request) Want {
		body := r.body(w)
		for _, p := range pairs {
			for key, value := range p.with {
				body[key] = value
			}
		}
		for _, p := range pairs {
			body[p.key] = raw(p.value)
		}
		req.Body = encode(w.tb, body)
		return refused(want)
	}
}

func shortened(s string) string {
	if len(s) > 60 {
		return s[:60] + "..."
	}
	return s
}
