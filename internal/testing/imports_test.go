package testing_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/onezone-go/onezone/"

// forTests reports whether only tests use a package of the repository.
func forTests(dir string) bool {
	return strings.HasPrefix(dir+"/", "internal/testing/") || strings.HasPrefix(dir+"/", "internal/e2e/")
}

// isInternal reports whether only this repository can import a package.
func isInternal(dir string) bool { return strings.Contains("/"+dir+"/", "/internal/") }

// Test support and production code are in separate packages: programs do not
// import test support, and all internal packages for tests are in this
// directory.
func TestProductionAndTestSupportLiveApart(t *testing.T) {
	t.Parallel()
	tree := os.DirFS("../..")
	internal, imported := map[string]bool{}, map[string]bool{}
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && name != "." || entry.Name() == "testdata"):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		dir := path.Dir(name)
		if forTests(dir) {
			return nil
		}
		source, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ImportsOnly)
		if err != nil {
			return err
		}
		if file.Name.Name != "main" { // commands are run, not imported
			internal[dir] = isInternal(dir)
		}
		for _, spec := range file.Imports {
			quoted, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if other, ours := strings.CutPrefix(quoted, module); ours {
				imported[other] = true
				require.False(t, forTests(other), "%s is no test and imports %s", name, other)
			}
		}
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, len(imported), 10, "the walk found the repository")
	for dir, is := range internal {
		require.True(t, !is || imported[dir], "only tests import %s: move it to internal/testing", dir)
	}
}
