package errors

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// openVectors opens a file of conformance vectors, like package
// internal/testing/vectors, which imports this package.
func openVectors(t *testing.T, name string) *os.File {
	t.Helper()
	dir := os.Getenv("ONEZONE_VECTORS")
	if dir == "" {
		dir = filepath.Join("testdata", "vectors")
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join("..", dir) // from the root of the module
	}
	f, err := os.Open(filepath.Join(dir, name))
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

func TestVectorsErrors(t *testing.T) {
	lines := bufio.NewScanner(openVectors(t, "errors.jsonl"))
	lines.Buffer(nil, 16<<20)
	n := 0
	for lines.Scan() {
		n++
		d := json.NewDecoder(strings.NewReader(lines.Text()))
		d.DisallowUnknownFields()
		var vector struct {
			Error    json.RawMessage `json:"error"`
			HTTPCode int             `json:"httpCode"`
		}
		require.NoError(t, d.Decode(&vector), "line %d", n)
		require.False(t, d.More(), "line %d holds more than one value", n)

		var e Error
		require.NoError(t, json.Unmarshal(vector.Error, &e), "line %d", n)
		require.Nil(t, e.original, "line %d is not recognized", n)
		require.Equal(t, vector.HTTPCode, e.HTTPStatus(), "line %d", n)
		requireDescription(t, e.Description)

		written, err := json.Marshal(&e)
		require.NoError(t, err)
		require.JSONEq(t, string(vector.Error), undescribed(t, written), "line %d", n)

		body, err := json.Marshal(Envelope{Error: &e})
		require.NoError(t, err)
		require.JSONEq(t, `{"error":`+string(written)+`}`, string(body), "line %d", n)
		var read Envelope
		require.NoError(t, json.Unmarshal(body, &read), "line %d", n)
		require.Equal(t, &e, read.Error, "line %d", n)
	}
	require.NoError(t, lines.Err())
	require.NotZero(t, n, "no vectors")
	fmt.Printf("errors.jsonl: %d vectors\n", n)
}

// undescribed returns the JSON of an error without its description and those of
// the errors nested in it. Each must be present.
func undescribed(t *testing.T, raw []byte) string {
	t.Helper()
	object, ok := parseValue(raw).(map[string]any)
	require.True(t, ok, "%s", raw)
	removeDescriptions(t, object)
	bare, err := json.Marshal(object)
	require.NoError(t, err)
	return string(bare)
}

func removeDescriptions(t *testing.T, object map[string]any) {
	t.Helper()
	description, ok := object["description"].(string)
	require.True(t, ok, "no description in %v", object)
	requireDescription(t, description)
	delete(object, "description")
	members, _ := object["details"].(map[string]any)
	for _, key := range []string{"authError", "tokenError", "specificError", "error"} {
		if inner, ok := members[key].(map[string]any); ok {
			removeDescriptions(t, inner)
		}
	}
}
