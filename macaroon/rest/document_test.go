package rest_test

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/restcases"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// documented is the part of the document that these tests use.
type documented struct {
	OpenAPI string
	Servers []struct{ URL string }
	Paths   map[string]map[string]json.RawMessage
}

type operation struct {
	OperationID string
	Parameters  []any
	RequestBody any
	Security    []map[string]any
	Responses   map[string]any
	Operation   string `json:"x-onezone-operation"`
	Resource    string `json:"x-onezone-resource"`
}

func readDocument(t *testing.T) (data []byte, d documented) {
	t.Helper()
	data, err := os.ReadFile("openapi.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &d))
	return data, d
}

// The document has exactly the routes of the handler, with the resources for
// api caveats.
func TestDocumentHasTheRoutes(t *testing.T) {
	t.Parallel()
	_, d := readDocument(t)
	require.Equal(t, "3.0.3", d.OpenAPI)
	require.Len(t, d.Servers, 1)
	require.Equal(t, rest.Prefix, d.Servers[0].URL)
	routes := rest.Resources()
	ids := map[string]bool{}
	for path, item := range d.Paths {
		for method, raw := range item {
			if method == "parameters" {
				continue
			}
			route := strings.ToUpper(method) + " " + path
			var op operation
			require.NoError(t, json.Unmarshal(raw, &op))
			require.Contains(t, routes, route, "the document has what the handler does not")
			require.Equal(t, routes[route], op.Operation+" "+op.Resource, route)
			delete(routes, route)

			require.NotEmpty(t, op.OperationID)
			require.False(t, ids[op.OperationID], "two operations are called %s", op.OperationID)
			ids[op.OperationID] = true
			takesBody := method == "post" || method == "patch"
			require.Equal(t, takesBody, op.RequestBody != nil, route)
			public := slices.ContainsFunc(op.Security, func(s map[string]any) bool { return len(s) == 0 })
			require.Equal(t, strings.HasSuffix(op.Resource, ":public"), public, route)
			require.Equal(t, strings.Count(path, "{") > 0, item["parameters"] != nil, route)
			for _, status := range []string{"401", "403", "406", "429", "500", "503"} {
				require.Contains(t, op.Responses, status, route)
			}
		}
	}
	require.Empty(t, routes, "the document lacks these")
}

// Every field of the document is tried with invalid values.
func TestEveryFieldHasBadValues(t *testing.T) {
	t.Parallel()
	tried := map[string]bool{}
	for _, c := range restcases.All() {
		if field, _, ok := strings.Cut(c.Name, " = "); ok && c.Group == restcases.BadInput {
			tried[c.Route+" "+field] = true
		}
	}
	data, d := readDocument(t)
	var components struct {
		Components struct {
			Schemas map[string]struct{ Properties map[string]any }
		}
	}
	require.NoError(t, json.Unmarshal(data, &components))
	fields := 0
	for path, item := range d.Paths {
		for method, raw := range item {
			ref := reference.FindSubmatch(requestBody(t, method, raw))
			if ref == nil {
				continue
			}
			for field := range components.Components.Schemas[string(ref[2])].Properties {
				fields++
				require.True(t, tried[strings.ToUpper(method)+" "+path+" "+field], "%s %s: no bad %s is tried", method, path, field)
			}
		}
	}
	require.Positive(t, fields)
}

// requestBody is the description of the body of an operation.
func requestBody(t *testing.T, method string, raw json.RawMessage) (body json.RawMessage) {
	t.Helper()
	if method == "parameters" {
		return nil
	}
	var op map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(raw, &op))
	return op["requestBody"]
}

var reference = regexp.MustCompile(`"\$ref":\s*"#/components/(\w+)/([\w.-]+)"`)

// Every reference of the document resolves, and every component is referenced.
func TestDocumentIsWhole(t *testing.T) {
	t.Parallel()
	data, _ := readDocument(t)
	var d struct {
		Components map[string]map[string]any
	}
	require.NoError(t, json.Unmarshal(data, &d))
	unused := map[string]bool{}
	for kind, components := range d.Components {
		for name := range components {
			unused[kind+"/"+name] = kind != "securitySchemes"
		}
	}
	for _, ref := range reference.FindAllStringSubmatch(string(data), -1) {
		require.Contains(t, d.Components[ref[1]], ref[2])
		delete(unused, ref[1]+"/"+ref[2])
	}
	for name, schema := range unused {
		require.False(t, schema, "nothing refers to %s", name)
	}
}

func TestDocumentIsServed(t *testing.T) {
	t.Parallel()
	data, _ := readDocument(t)
	w := restcases.NewFixture(t)
	get := func(as macaroontest.Credentials) macaroontest.Response {
		return w.Do(t, restcases.Request{Method: "GET", Path: "/openapi.json", As: as}).Response
	}
	for _, as := range []macaroontest.Credentials{nil, macaroontest.BearerText("nonsense"), macaroontest.Basic("alice")} {
		res := get(as)
		macaroontest.AssertStatus(t, res, http.StatusOK)
		require.Equal(t, "application/json", res.Header.Get("Content-Type"))
		require.Equal(t, "*", res.Header.Get("Access-Control-Allow-Origin"))
		require.Equal(t, string(data), string(res.Body))
	}
	x := w.Do(t, restcases.Request{Method: "POST", Path: "/openapi.json", Body: "{}"})
	macaroontest.AssertStatus(t, x.Response, http.StatusMethodNotAllowed)
	require.Equal(t, "GET, HEAD, OPTIONS", x.Response.Header.Get("Allow"))
}
