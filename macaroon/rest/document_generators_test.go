package rest_test

import (
	"encoding/json"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// operationIDs are those of the official definition of the Onezone API, so that
// the names that generators derive from them carry over.
var operationIDs = map[string]string{
	"POST /tokens/examine":                  "examine_token",
	"POST /tokens/confine":                  "confine_token",
	"POST /tokens/infer_access_token_scope": "infer_access_token_scope",
	"POST /tokens/verify_access_token":      "verify_access_token",
	"POST /tokens/verify_identity_token":    "verify_identity_token",
	"POST /tokens/verify_invite_token":      "verify_invite_token",
	"GET /tokens/named":                     "list_all_named_tokens",
	"GET /tokens/named/{id}":                "get_named_token",
	"PATCH /tokens/named/{id}":              "modify_named_token",
	"DELETE /tokens/named/{id}":             "delete_named_token",
	"GET /tokens/named/{id}/status":         "get_named_token_status",
	"GET /user":                             "get_current_user",
	"GET /configuration":                    "get_configuration",
	"POST /user/client_tokens":              "create_client_token",
	"GET /user/client_tokens":               "list_client_tokens",
	"DELETE /user/client_tokens/{tid}":      "remove_client_token",
	"POST /HOLDER/tokens/named":             "create_named_token_for_HOLDER",
	"GET /HOLDER/tokens/named":              "list_named_tokens_of_HOLDER",
	"DELETE /HOLDER/tokens/named":           "delete_named_tokens_of_HOLDER",
	"GET /HOLDER/tokens/named/name/{name}":  "get_named_token_of_HOLDER_by_name",
	"POST /HOLDER/tokens/temporary":         "create_temporary_token_for_HOLDER",
	"GET /HOLDER/tokens/temporary":          "get_temporary_token_generation_of_HOLDER",
	"DELETE /HOLDER/tokens/temporary":       "revoke_all_temporary_tokens_of_HOLDER",
}

// extensions are the operations that the official definition lacks.
var extensions = map[string]string{
	"GET /user/tokens/records":              "list_named_token_records_of_current_user",
	"POST /tokens/explain":                  "explain_token",
	"GET /tokens/named/{id}/family":         "get_named_token_family",
	"POST /tokens/named/{id}/revoke_copy":   "revoke_copy_of_named_token",
	"POST /tokens/named/{id}/revoke_family": "revoke_named_token_family",
	"POST /tokens/narrow":                   "narrow_token",
}

func TestOperationIDsAreOfTheOfficialDefinition(t *testing.T) {
	t.Parallel()
	want := maps.Clone(extensions)
	for route, id := range operationIDs {
		if !strings.Contains(route, "HOLDER") {
			want[route] = id
			continue
		}
		for path, holder := range map[string]string{
			"users/{id}": "user", "user": "current_user", "providers/{id}": "provider", "provider": "current_provider",
		} {
			want[strings.Replace(route, "HOLDER", path, 1)] = strings.Replace(id, "HOLDER", holder, 1)
		}
	}
	_, d := readDocument(t)
	got := map[string]string{}
	for path, item := range d.Paths {
		for method, raw := range item {
			if method == "parameters" {
				continue
			}
			var op operation
			require.NoError(t, json.Unmarshal(raw, &op))
			got[strings.ToUpper(method)+" "+path] = op.OperationID
		}
	}
	require.Equal(t, want, got)
}

// The document avoids constructs that break code generators: lists of types,
// references with siblings, keywords of later versions, unions without a
// discriminating member, names that differ only in their case.
func TestDocumentIsForGenerators(t *testing.T) {
	t.Parallel()
	data, _ := readDocument(t)
	var document map[string]any
	require.NoError(t, json.Unmarshal(data, &document))
	unions := 0
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				walk(path, item)
			}
		case map[string]any:
			if _, isList := v["type"].([]any); isList {
				t.Errorf("%s: the type is a list", path)
			}
			if v["$ref"] != nil && len(v) > 1 {
				t.Errorf("%s: siblings of a reference are ignored", path)
			}
			if variants, ok := v["oneOf"].([]any); ok && reference.MatchString(text(t, variants)) {
				unions++
				mapping, _ := v["discriminator"].(map[string]any)["mapping"].(map[string]any)
				mapped := map[string]bool{}
				for _, ref := range mapping {
					mapped[text(t, map[string]any{"$ref": ref})] = true
				}
				for _, variant := range variants {
					require.True(t, mapped[text(t, variant)], "%s: %v is not mapped", path, variant)
				}
			}
			for key, inner := range v {
				isSchema := !strings.HasSuffix(path, "/properties") && !strings.HasSuffix(path, "/schemas")
				if isSchema {
					require.NotContains(t, []string{"const", "contains", "not", "if", "$defs", "prefixItems", "examples"}, key, path)
				}
				walk(path+"/"+key, inner)
			}
		}
	}
	walk("", document)
	require.Greater(t, unions, 20)

	names := map[string]string{}
	components, _ := document["components"].(map[string]any)
	for kind, members := range components {
		for name := range members.(map[string]any) {
			folded := strings.ToLower(name)
			require.Empty(t, names[folded], "%s/%s differs from another name only in its case, or in nothing", kind, name)
			names[folded] = name
		}
	}
}

func text(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return string(raw)
}

// Some versions of oapi-codegen refer to a type for a union inside a shared
// response, and do not declare it.
func TestSharedResponsesNameTheirUnions(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("openapi.json")
	require.NoError(t, err)
	var document struct {
		Components struct {
			Responses map[string]json.RawMessage
		}
	}
	require.NoError(t, json.Unmarshal(data, &document))
	require.NotEmpty(t, document.Components.Responses)
	for name, response := range document.Components.Responses {
		require.NotContains(t, string(response), `"oneOf"`, "the response %s: refer to a schema", name)
	}
}
