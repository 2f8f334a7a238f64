package restcases

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
)

// methodsOf returns the methods that the path of a route allows: those of its
// rows, HEAD with GET, and OPTIONS.
func methodsOf(route string) []string {
	methods := []string{http.MethodOptions}
	_, path, _ := strings.Cut(route, " ")
	for _, r := range rows() {
		if m, p, _ := strings.Cut(r.route, " "); p == path && !slices.Contains(methods, m) {
			methods = append(methods, m)
		}
	}
	if slices.Contains(methods, http.MethodGet) {
		methods = append(methods, http.MethodHead)
	}
	slices.Sort(methods)
	return methods
}

// protocol returns the cases that do not depend on tokens.
func (r row) protocol() (list []Case) {
	allow := methodsOf(r.route)
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get"} {
		if slices.Contains(allow, method) {
			continue
		}
		list = append(list, r.make(Protocol, "method "+method, func(_ *Fixture, req *Request) Want {
			req.Method = method
			want := bare(http.StatusMethodNotAllowed)
			want.Check = hasHeader("Allow", strings.Join(allow, ", "))
			return want
		}))
	}
	list = append(list, r.make(Protocol, "OPTIONS, whatever the credentials", func(_ *Fixture, req *Request) Want {
		req.Method, req.As, req.Body = http.MethodOptions, macaroontest.BearerText("nonsense"), "nonsense"
		want := bare(http.StatusNoContent)
		want.Check = hasHeader("Allow", strings.Join(allow, ", "))
		return want
	}))
	if r.method() == http.MethodGet {
		list = append(list, r.head(nil), r.head(macaroontest.BearerText("nonsense")))
	}
	for _, accept := range []string{"text/html", "application/json;q=0, */*", "application/json;q=x", "application/xml, text/*;q=1", "nonsense"} {
		list = append(list, r.make(Protocol, "accept "+accept, func(_ *Fixture, req *Request) Want {
			req.Header = http.Header{"Accept": {accept}}
			return bare(http.StatusNotAcceptable)
		}))
	}
	for _, suffix := range []string{"//", "/x/y/z", "/.", "/..", "%2F", "%20"} {
		if strings.Contains(r.route, "{tid}") || strings.HasSuffix(r.route, "/{id}") || strings.HasSuffix(r.route, "/{name}") {
			break // the suffix is part of the value
		}
		list = append(list, r.make(Protocol, "path with "+suffix, func(_ *Fixture, req *Request) Want {
			req.Path += suffix
			return bare(http.StatusNotFound)
		}))
	}
	if !r.hasBody() {
		return list
	}
	for _, contentType := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/json2", "nonsense;;"} {
		list = append(list, r.make(Protocol, "content type "+contentType, func(_ *Fixture, req *Request) Want {
			req.Header = http.Header{"Content-Type": {contentType}}
			return bare(http.StatusUnsupportedMediaType)
		}))
	}
	for name, text := range badJSON() {
		list = append(list, r.make(Protocol, "body "+name, func(_ *Fixture, req *Request) Want {
			req.Body = text
			return refused(errors.MalformedData())
		}))
	}
	const limit = 2 << 20
	tooLarge := Want{Status: http.StatusRequestEntityTooLarge, Error: errors.LimitReached(limit, "bytes in the body of a request")}
	return append(list,
		r.make(Protocol, "body of the largest size", func(_ *Fixture, req *Request) Want {
			req.Body += strings.Repeat(" ", limit-len(req.Body))
			return r.success()
		}),
		r.make(Protocol, "body too large", func(_ *Fixture, req *Request) Want {
			req.Body += strings.Repeat(" ", limit+1-len(req.Body))
			return tooLarge
		}))
}

// head returns a case of a HEAD request. Its answer is that of GET without the
// body. as replaces the credentials unless it is nil.
func (r row) head(as macaroontest.Credentials) Case {
	status := r.status
	if as != nil {
		status = http.StatusUnauthorized
	}
	return r.make(Protocol, fmt.Sprintf("HEAD answered with %d", status), func(w *Fixture, req *Request) Want {
		if as != nil {
			req.As = as
		}
		get := w.Do(w.tb, *req).Response
		req.Method = http.MethodHead
		want := bare(status)
		want.Check = hasHeader("Content-Length", get.Header.Get("Content-Length"))
		return want
	})
}

func badJSON() map[string]string {
	deep := func(open, closing string, n int) string {
		return strings.Repeat(open, n) + "1" + strings.Repeat(closing, n)
	}
	return map[string]string{
		"is no JSON": "nonsense", "is white space": " \n", "is cut off": `{"token":`, "has a comma too many": `{"a":1,}`,
		"has single quotes": `{'a':1}`, "has a comment": `{}//`, "has something behind": `{} {}`, "has a bracket behind": `{}}`,
		"is not UTF-8": "{\"a\":\"\xff\"}", "has a byte order mark": "\ufeff{}", "has a control character": "{\"a\":\"\x01\"}",
		"repeats a key": `{"a":1,"a":1}`, "repeats a key in an escape": `{"a":1,"\u0061":1}`, "repeats a key inside": `{"a":[{"b":1,"b":2}]}`,
		"is too deep": `{"a":` + deep("[", "]", 64) + `}`, "is very deep": deep(`{"a":`, "}", 100_000), "is deep and cut off": strings.Repeat("[", 100_000),
		"is null": "null", "is a list": "[]", "is a string": `"{}"`, "is a number": "5", "is a boolean": "true",
		"has a number that no double holds": `{"a":1e999}`, "has such a number inside": `{"a":{"b":[0,-1e309]}}`,
		"has a number of too many digits": `{"a":1` + strings.Repeat("0", 400) + `}`,
		"has half of a surrogate pair":    `{"a":"\ud800"}`, "has the other half": `{"a":"x\udc00"}`, "has halves the wrong way round": `{"a":"\udc00\ud800"}`,
		"has half of a pair before an escape": `{"a":"\ud800\n"}`, "has half of a pair in a key": `{"a":{"\uDBFF":1}}`,
		"has a bad number": `{"a":01}`, "has a bad escape": `{"a":"\x"}`,
	}
}

func hasHeader(name, value string) check {
	return func(tb testing.TB, _ *Fixture, res macaroontest.Response) {
		tb.Helper()
		if got := res.Header.Get(name); got != value {
			tb.Errorf("%s is %q, want %q", name, got, value)
		}
	}
}

// order returns cases with two errors in one request. The error of the earlier
// step must be reported.
func (r row) order() (list []Case) {
	add := func(name string, change func(w *Fixture, req *Request) Want) {
		list = append(list, r.make(Order, name, change))
	}
	badToken := macaroontest.BearerText("nonsense")
	add("method before authentication", func(_ *Fixture, req *Request) Want {
		req.Method, req.As = "PUT", badToken
		return bare(http.StatusMethodNotAllowed)
	})
	add("authentication before Accept", func(_ *Fixture, req *Request) Want {
		req.As, req.Header = badToken, http.Header{"Accept": {"text/html"}}
		return refused(errors.Unauthorized(errors.BadToken("")))
	})
	limited := func(w *Fixture) (caveat.Caveat, macaroontest.Credentials) {
		c := caveat.MustParse("api = ozw/get/space.*.*:*")
		return c, w.By(w.tb, Bob, c) // Bob has no right to most routes either
	}
	if r.access[Bob] == nil {
		if _, in := r.access[Bob]; in {
			limited = func(w *Fixture) (caveat.Caveat, macaroontest.Credentials) {
				c := caveat.MustParse("api = ozw/get/space.*.*:*")
				return c, w.By(w.tb, Lyon, c)
			}
		}
	}
	add("caveats before authorization", func(w *Fixture, req *Request) Want {
		c, as := limited(w)
		req.As = as
		return refused(errors.Unauthorized(caveat.Unverified(c)))
	})
	if !r.hasBody() {
		return list
	}
	add("authentication before the body", func(_ *Fixture, req *Request) Want {
		req.As, req.Body, req.Header = badToken, strings.Repeat("x", 3<<20), http.Header{"Content-Type": {"text/plain"}}
		return refused(errors.Unauthorized(errors.BadToken("")))
	})
	add("Accept before the size of the body", func(_ *Fixture, req *Request) Want {
		req.Body, req.Header = strings.Repeat("x", 3<<20), http.Header{"Accept": {"text/html"}}
		return bare(http.StatusNotAcceptable)
	})
	add("content type before the size of the body", func(_ *Fixture, req *Request) Want {
		req.Body, req.Header = strings.Repeat("x", 3<<20), http.Header{"Content-Type": {"text/plain"}}
		return bare(http.StatusUnsupportedMediaType)
	})
	add("JSON before caveats", func(w *Fixture, req *Request) Want {
		_, req.As = limited(w)
		req.Body = "nonsense"
		return refused(errors.MalformedData())
	})
	add("caveats before the form of the body", func(w *Fixture, req *Request) Want {
		c, as := limited(w)
		req.As, req.Body = as, "[]"
		return refused(errors.Unauthorized(caveat.Unverified(c)))
	})
	if _, public := r.access[caveat.Nobody()]; !public {
		add("authorization before the form of the body", func(_ *Fixture, req *Request) Want {
			req.As, req.Body = nil, "[]"
			return refused(errors.Unauthorized(nil))
		})
	}
	if _, in := r.access[Lyon]; !in {
		for _, body := range []string{"[]", `{}`, `{"name":5,"caveats":5}`} {
			add(fmt.Sprintf("authorization before the input %s", body), func(w *Fixture, req *Request) Want {
				req.As, req.Body = w.By(w.tb, Lyon), body
				return refused(errors.Forbidden(""))
			})
		}
	}
	return list
}
