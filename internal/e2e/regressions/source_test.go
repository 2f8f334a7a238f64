//go:build e2e

package regressions

import (
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// confidential matches expressions for what a verifier compares with what a client
// sent.
var confidential = regexp.MustCompile(`(?i)signature|\blink\b|secret|digest|\bmac\b|\bsum\b`)

// harmless matches operands of comparisons that reveal nothing: constants, lengths
// and the absence of a value.
var harmless = regexp.MustCompile(`^(nil|none|"[^"]*"|\d+|len\(.*\)|.*\bSize)$`)

// The time of a comparison of 32 bytes is too short to be measured beside other
// load. So this test reads the source: nothing confidential is compared with an
// operator or a function that ends at the first difference.
func signaturesAreComparedInConstantTime(t *testing.T) {
	replaced := replacements(t)
	comparisons := 0
	for _, directory := range []string{"macaroon", "macaroon/general", "macaroon/discharge", "macaroon/internal/wire", "store", "internal/mac"} {
		files, err := filepath.Glob(filepath.Join(root, directory, "*.go"))
		require.NoError(t, err)
		require.NotEmpty(t, files, directory)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			path, err := filepath.Abs(file)
			require.NoError(t, err)
			if replaced[path] != "" {
				path = replaced[path]
			}
			comparisons += checkComparisons(t, file, path)
		}
	}
	require.GreaterOrEqual(t, comparisons, 5, "comparisons in constant time")
}

// checkComparisons parses a file and returns how many comparisons take constant
// time.
func checkComparisons(t *testing.T, name, path string) (constant int) {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, nil, 0)
	if _, missing := err.(*fs.PathError); missing {
		t.Fatalf("reading %s: %v", name, err)
	}
	require.NoError(t, err)
	text := func(n ast.Node) string {
		var b strings.Builder
		require.NoError(t, printer.Fprint(&b, set, n))
		return b.String()
	}
	compared := func(n ast.Node, operands ...ast.Expr) {
		found := false
		for _, operand := range operands {
			if _, oneByte := operand.(*ast.IndexExpr); oneByte || harmless.MatchString(text(operand)) {
				return
			}
			found = found || confidential.MatchString(text(operand))
		}
		if found {
			t.Errorf("%s: %s takes a time that depends on the bytes", name, text(n))
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if n.Op == token.EQL || n.Op == token.NEQ {
				compared(n, n.X, n.Y)
			}
		case *ast.CallExpr:
			switch text(n.Fun) {
			case "subtle.ConstantTimeCompare":
				constant++
				return false
			case "bytes.Equal", "bytes.Compare", "slices.Equal", "strings.Compare", "strings.EqualFold", "reflect.DeepEqual":
				compared(n, n.Args...)
			}
		}
		return true
	})
	return constant
}
