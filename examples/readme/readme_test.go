package readme

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// blocks returns the Go code that the README shows.
func blocks(t *testing.T) (code []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	require.NoError(t, err)
	inside := false
	for line := range strings.Lines(string(text)) {
		switch {
		case line == "```go\n":
			inside = true
			code = append(code, "")
		case strings.HasPrefix(line, "```"):
			inside = false
		case inside:
			code[len(code)-1] += line
		}
	}
	require.GreaterOrEqual(t, len(code), 9)
	return code
}

// Whatever Go the README shows stands, to the letter, in a test of this package,
// or is a program.
func TestTheReadmeShowsWhatIsTestedHere(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*_test.go")
	require.NoError(t, err)
	var source strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		source.Write(text)
	}
	for _, code := range blocks(t) {
		require.True(t, isProgram(code) || strings.Contains(source.String(), code), "the README shows what no test has:\n%s", code)
	}
}

func isProgram(code string) bool { return strings.HasPrefix(code, "package main\n") }

// packages are those that the README may mention without importing them.
var packages = map[string]string{
	"context": "context", "fmt": "fmt", "http": "net/http", "io": "io", "netip": "net/netip", "testing": "testing", "time": "time",
}

func init() {
	const module = "github.com/onezone-go/onezone/"
	for _, path := range []string{
		"caveat", "errors", "macaroon", "macaroon/macaroontest", "macaroon/rest", "store",
		"store/cache", "store/memory", "store/postgres", "store/redis", "store/seal", "store/sqlite",
	} {
		packages[path[strings.LastIndexByte(path, '/')+1:]] = module + path
	}
}

var qualifier = regexp.MustCompile(`\b([a-z]+)\.[A-Z]`)

// compilable is a block as a file: with the imports of the packages it mentions.
func compilable(code string) string {
	if isProgram(code) {
		return code
	}
	paths := map[string]bool{}
	for line := range strings.Lines(code) {
		statement, _, _ := strings.Cut(line, "//")
		for _, found := range qualifier.FindAllStringSubmatch(statement, -1) {
			if path, ok := packages[found[1]]; ok {
				paths[path] = true
			}
		}
	}
	var b strings.Builder
	b.WriteString("package block\n\nimport (\n")
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		fmt.Fprintf(&b, "\t%q\n", path)
	}
	b.WriteString(")\n\n" + code)
	return b.String()
}

// Each example defines everything that it uses: it compiles by itself, without
// the rest of this package. The programs run.
func TestTheReadmeExamplesCompileAlone(t *testing.T) {
	t.Parallel()
	here, err := filepath.Abs(".")
	require.NoError(t, err)
	dir := t.TempDir()
	overlay := map[string]map[string]string{"Replace": {}}
	args := []string{"build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", filepath.Join(dir, "bin") + "/"}
	programs := 0
	for i, code := range blocks(t) {
		name := fmt.Sprintf("block%d", i)
		file := filepath.Join(dir, name+".go")
		require.NoError(t, os.WriteFile(file, []byte(compilable(code)), 0o600))
		overlay["Replace"][filepath.Join(here, name, "block.go")] = file
		args = append(args, "./"+name)
		if isProgram(code) {
			programs++
		}
	}
	data, err := json.Marshal(overlay)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "overlay.json"), data, 0o600))
	out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput()
	require.NoError(t, err, "%s", out)

	binaries, err := filepath.Glob(filepath.Join(dir, "bin", "*"))
	require.NoError(t, err)
	require.Len(t, binaries, programs)
	require.Equal(t, 1, programs)
	out, err = exec.CommandContext(t.Context(), binaries[0]).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, "usr-alice <nil>\n", string(out))
}
