//go:build e2e

package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pb33f/libopenapi"
	// Validates documents and whole answers, headers included.
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/restcases"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// document is the OpenAPI document, and the answers that the tests have seen.
type document struct {
	validator.Validator
	data []byte
	seen map[string]bool // "GET /tokens/named 200"
}

func readDocument(t *testing.T) *document {
	t.Helper()
	x := restcases.NewFixture(t).Do(t, restcases.Request{Method: http.MethodGet, Path: "/openapi.json"})
	require.Equal(t, http.StatusOK, x.Response.Status)
	parsed, err := libopenapi.NewDocument(x.Response.Body)
	require.NoError(t, err)
	v, errs := validator.NewValidator(parsed)
	require.Empty(t, errs)
	return &document{v, x.Response.Body, map[string]bool{}}
}

// problems lists the differences between an answer of a route and the document.
func (d *document) problems(t *testing.T, route string, answer macaroontest.Response) (list []string) {
	t.Helper()
	// The path as the document has it: values are not what is tested here.
	method, path, _ := strings.Cut(route, " ")
	req, err := http.NewRequest(method, rest.Prefix+strings.NewReplacer("{", "", "}", "").Replace(path), nil)
	require.NoError(t, err)
	res := &http.Response{
		StatusCode: answer.Status, Header: answer.Header, Request: req, Body: io.NopCloser(bytes.NewReader(answer.Body)),
	}
	_, errs := d.ValidateHttpResponse(req, res)
	for _, err := range errs {
		list = append(list, err.Error())
	}
	d.seen[route+" "+strconv.Itoa(answer.Status)] = true
	return list
}

func TestDocumentIsValid(t *testing.T) {
	ok, errs := readDocument(t).ValidateDocument()
	for _, err := range errs {
		t.Error(err)
	}
	require.True(t, ok)
}

// Every answer in the tests of the routes conforms to the document, and every
// answer in the document occurs in these tests.
func TestAnswersAreDocumented(t *testing.T) {
	if testing.Short() {
		t.Skip("the same cases run in package rest")
	}
	d := readDocument(t)
	answers, routes := 0, map[string]bool{}
	for _, c := range restcases.All() {
		routes[c.Route] = true
		x := c.Run(t)
		method, _, _ := strings.Cut(c.Route, " ")
		if x.Request.Method != method || x.Response.Status == http.StatusNotFound && len(x.Response.Body) == 0 {
			continue // no operation of the document
		}
		answers++
		require.Empty(t, d.problems(t, c.Route, x.Response), "%s, %s: %d %.500s", c.Route, c.Name, x.Response.Status, x.Response.Body)
	}
	for status, fault := range map[int]func(route string) macaroontest.Response{
		http.StatusServiceUnavailable: closedStore(t), http.StatusInternalServerError: panicking(t), http.StatusTooManyRequests: throttled(t),
		http.StatusForbidden: fromAnotherSite(t),
	} {
		for route := range routes {
			answers++
			res := fault(route)
			require.Equal(t, status, res.Status)
			require.Empty(t, d.problems(t, route, res), "%s: %d %s", route, res.Status, res.Body)
		}
	}
	for answer := range d.documented(t) {
		require.True(t, d.seen[answer], "the document tells of an answer that is never made: %s", answer)
	}
	fmt.Printf("openapi: %d routes, %d answers validate\n", len(routes), answers)
}

// documented returns the answers in the document.
func (d *document) documented(t *testing.T) map[string]bool {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]json.RawMessage
	}
	require.NoError(t, json.Unmarshal(d.data, &doc))
	answers := map[string]bool{}
	for path, item := range doc.Paths {
		for method, raw := range item {
			var op struct{ Responses map[string]any }
			if method == "parameters" {
				continue
			}
			require.NoError(t, json.Unmarshal(raw, &op))
			for status := range op.Responses {
				answers[strings.ToUpper(method)+" "+path+" "+status] = true
			}
		}
	}
	require.NotEmpty(t, answers)
	return answers
}

// ask sends a request to a route with arbitrary values.
func ask(t *testing.T, w *restcases.Fixture, route string, as macaroontest.Credentials) macaroontest.Response {
	t.Helper()
	method, path, _ := strings.Cut(route, " ")
	path = strings.NewReplacer("{", "", "}", "").Replace(path)
	return w.Do(t, restcases.Request{Method: method, Path: path, As: as}).Response
}

func closedStore(t *testing.T) func(string) macaroontest.Response {
	w := restcases.NewFixture(t)
	as := w.By(t, restcases.Alice)
	require.NoError(t, w.Store.Close())
	return func(route string) macaroontest.Response { return ask(t, w, route, as) }
}

func panicking(t *testing.T) func(string) macaroontest.Response {
	w := restcases.NewFixture(t, rest.WithSessionFrom(func(*http.Request) string { panic("a bug") }))
	as := w.By(t, restcases.Alice)
	return func(route string) macaroontest.Response { return ask(t, w, route, as) }
}

func throttled(t *testing.T) func(string) macaroontest.Response {
	w := restcases.NewThrottledWorld(t, 1, time.Hour)
	wrong := func(r *http.Request) { r.SetBasicAuth("alice", "wrong") }
	require.Equal(t, http.StatusUnauthorized, ask(t, w, "GET /user/tokens/named", wrong).Status)
	return func(route string) macaroontest.Response { return ask(t, w, route, wrong) }
}

func fromAnotherSite(t *testing.T) func(string) macaroontest.Response {
	w := restcases.NewFixture(t)
	return func(route string) macaroontest.Response {
		return ask(t, w, route, func(r *http.Request) {
			macaroontest.Basic("alice")(r)
			r.Header.Set("Sec-Fetch-Site", "cross-site")
		})
	}
}

// Answers that differ from the document are reported.
func TestAnswersOutsideTheDocumentAreFound(t *testing.T) {
	d := readDocument(t)
	const list, create = "GET /user/tokens/named", "POST /user/tokens/named"
	answer := func(status int, body string, headers ...string) macaroontest.Response {
		h := http.Header{"Content-Type": {"application/json"}}
		for i := 0; i < len(headers); i += 2 {
			h.Set(headers[i], headers[i+1])
		}
		return macaroontest.Response{Status: status, Header: h, Body: []byte(body)}
	}
	require.Empty(t, d.problems(t, list, answer(200, `{"tokens":["a"]}`)))
	for name, c := range map[string]struct {
		route string
		res   macaroontest.Response
	}{
		"another status":         {list, answer(418, `{}`)},
		"no list":                {list, answer(200, `{}`)},
		"list of other things":   {list, answer(200, `{"tokens":[5]}`)},
		"one id twice":           {list, answer(200, `{"tokens":["a","a"]}`)},
		"surplus member":         {list, answer(200, `{"tokens":[],"next":null}`)},
		"no challenge":           {list, answer(401, `{"error":{"id":"unauthorized","description":"No."}}`)},
		"unknown error":          {list, answer(403, `{"error":{"id":"no","description":"No."}}`)},
		"error of other status":  {list, answer(403, `{"error":{"id":"notFound","description":"No."}}`)},
		"error without sentence": {list, answer(403, `{"error":{"id":"forbidden","description":"no"}}`)},
		"error without details":  {create, answer(400, `{"error":{"id":"badValueString","description":"No."}}`)},
		"details too many":       {create, answer(400, `{"error":{"id":"badValueName","details":{"key":"name"},"description":"No."}}`)},
		"error of another route": {create, answer(400, `{"error":{"id":"badValueIPv4Address","details":{"key":"x"},"description":"No."}}`)},
		"no location":            {create, answer(201, `{"tokenId":"a","token":"b"}`, "Cache-Control", "no-store")},
		"cached":                 {create, answer(201, `{"tokenId":"a","token":"b"}`, "Location", "https://x/y")},
		"body of another type":   {list, answer(200, `{"tokens":[]}`, "Content-Type", "text/plain")},
		"no JSON":                {list, answer(200, `tokens`)},
	} {
		require.NotEmpty(t, d.problems(t, c.route, c.res), name)
	}
}
