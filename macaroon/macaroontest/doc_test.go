package macaroontest_test

import (
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// files is a handler of a service under test.
var files = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, "the content of "+r.URL.Path)
})

func TestFilesNeedAGoodToken(t *testing.T) {
	h := macaroontest.New(t)
	handler := rest.Authenticate(h.Authority)(rest.RequireClient()(files))

	res := macaroontest.Get(t, handler, "/files/1", h.Token(caveat.REST))
	macaroontest.AssertStatus(t, res, http.StatusOK)
	res = macaroontest.Request(t, handler, http.MethodGet, "/files/1", nil, macaroontest.Anonymous())
	macaroontest.AssertError(t, res, errors.IDUnauthorized)
	res = macaroontest.Get(t, handler, "/files/1", h.Revoked())
	macaroontest.AssertError(t, res, errors.IDTokenRevoked)
}

func TestClientToken(t *testing.T) {
	s := macaroontest.NewServer(t)
	res := s.Do("POST", "/user/client_tokens", nil, macaroontest.Basic("alice"))
	macaroontest.AssertStatus(t, res, http.StatusOK)
}

// The code in the package documentation is exactly that of the two tests above.
func TestDocumentationIsCompiled(t *testing.T) {
	t.Parallel()
	text := func(file string) string {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		return string(data)
	}
	var snippets []string // the indented blocks of the package comment
	inside := false
	for line := range strings.Lines(text("doc.go")) {
		code, indented := strings.CutPrefix(line, "//\t")
		switch {
		case indented && !inside:
			snippets = append(snippets, code)
		case indented:
			snippets[len(snippets)-1] += code
		case strings.TrimSpace(line) == "//" && inside:
			snippets[len(snippets)-1] += "\n"
			continue // perhaps of an empty line within
		}
		inside = indented
	}
	require.Len(t, snippets, 2)
	source := text("doc_test.go")
	for _, snippet := range snippets {
		snippet = strings.TrimSpace(snippet)
		if !strings.HasPrefix(snippet, "func ") {
			snippet = strings.ReplaceAll(snippet, "\n", "\n\t") // of a function's body
		}
		require.Contains(t, source, snippet)
		require.LessOrEqual(t, strings.Count(snippet, "\n"), 10, "shown in ten lines")
	}
}
