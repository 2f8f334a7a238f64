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

var root = filepath.Join("..", "..")

// blocks returns the Go code that the README and the guide show, each block once.
func blocks(t *testing.T) (code []string) {
	t.Helper()
	for _, file := range []string{"README.md", filepath.Join("docs", "guide.md")} {
		text, err := os.ReadFile(filepath.Join(root, file))
		require.NoError(t, err)
		for _, found := range goBlock.FindAllStringSubmatch(string(text), -1) {
			if !slices.Contains(code, found[1]) {
				code = append(code, found[1])
			}
		}
	}
	require.GreaterOrEqual(t, len(code), 12)
	return code
}

var goBlock = regexp.MustCompile("(?s)```go\n(.*?)```\n")

// All Go code of the README and the guide is, unchanged, part of a test of this
// package or a program.
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

// packages are the packages that the README may mention without an import.
var packages = map[string]string{
	"context": "context", "fmt": "fmt", "grpc": "google.golang.org/grpc", "http": "net/http", "io": "io", "log": "log", "netip": "net/netip", "testing": "testing", "time": "time",
}

func init() {
	const module = "github.com/onezone-go/onezone/"
	for _, path := range []string{
		"caveat", "errors", "macaroon", "macaroon/grpcauth", "macaroon/macaroontest", "macaroon/page", "macaroon/remote", "macaroon/rest", "store",
		"store/cache", "store/memory", "store/postgres", "store/redis", "store/seal", "store/sqlite",
	} {
		packages[path[strings.LastIndexByte(path, '/')+1:]] = module + path
	}
}

var qualifier = regexp.MustCompile(`\b([a-z]+)\.[A-Z]`)

// compilable returns a block as a file, with the imports of the packages that
// it mentions.
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

// Each example defines everything that it uses, so it compiles without the rest
// of this package. The programs run.
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
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	require.Contains(t, string(readme), "```text\n"+string(out)+"```\n", "the README shows another output than its program prints")
}

var (
	link = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	path = regexp.MustCompile("`((?:caveat|docs|errors|examples|internal|macaroon|store|testdata)/[a-z0-9_/]+(?:\\.[a-z]+)?)`")
)

// Links to files of the repository, and paths in backquotes, exist.
func TestTheDocumentationNamesFilesThatExist(t *testing.T) {
	t.Parallel()
	var documents []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		require.NoError(t, err)
		documents = append(documents, found...)
	}
	named := 0
	for _, document := range documents {
		if filepath.Base(document) == "CHANGELOG.md" { // it may name removed files
			continue
		}
		text, err := os.ReadFile(document)
		require.NoError(t, err)
		exists := func(pattern *regexp.Regexp, from string) {
			for _, found := range pattern.FindAllStringSubmatch(string(text), -1) {
				_, err := os.Stat(filepath.Join(from, filepath.FromSlash(found[1])))
				require.NoError(t, err, document)
				named++
			}
		}
		exists(link, filepath.Dir(document))
		exists(path, root)
	}
	require.Greater(t, named, 50)
}
