//go:build e2e

package regressions

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	// root is the root of the repository.
	root = "../../.."
	// overlayVariable is set to the path of the overlay in the tests of a weakened build.
	overlayVariable = "ONEZONE_REGRESSIONS_OVERLAY"
	// weaknessVariable is the name of the weakness that a weakened build has.
	weaknessVariable = "ONEZONE_REGRESSIONS_WEAKNESS"
)

// weakenedPackage is a package that only a weakened build has.
const weakenedPackage = `package weakened

import "os"

// Has reports whether the build has the weakness now.
func Has(name string) bool { return os.Getenv("` + weaknessVariable + `") == name }
`

// The test of each weakness fails in a build without its guard. All weaknesses
// are in one build, and each test has its own. A file of testdata/weakened has the
// name of a weakness and describes one guard or more:
//
//	=== file PATH
//	=== guard
//	lines that the file contains once
//	=== weakened
//	lines that take their place, and do the same unless weakened.Has("NAME")
func TestEachGuardIsNeeded(t *testing.T) {
	if testing.Short() {
		t.Skip("the full run builds and runs the weakened tests")
	}
	files := weakened(t)
	for path, source := range files {
		files[path] = strings.Replace(source, "\nimport ", "\nimport \"github.com/onezone-go/onezone/internal/weakened\"\nimport ", 1)
	}
	files["internal/weakened/weakened.go"] = weakenedPackage
	overlay := overlayOf(t, files)
	binary := filepath.Join(t.TempDir(), "weakened.test")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-vet=off", "-tags", "e2e", "-overlay", overlay, "-o", binary, ".")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "the weakened build: %s", out)

	run := exec.CommandContext(t.Context(), binary, "-test.v", "-test.run", "^TestKnownWeaknesses$", "-test.timeout", "30s")
	run.Env = append(os.Environ(), overlayVariable+"="+overlay)
	out, err = run.CombinedOutput()
	require.Error(t, err, "the weakened tests pass")
	for _, w := range weaknesses {
		if !strings.Contains(string(out), "--- FAIL: TestKnownWeaknesses/"+w.name+" ") {
			t.Errorf("the test of %s passes in a build without its guard, or did not run", w.name)
		}
	}
	if t.Failed() {
		t.Logf("%s", out)
	}
}

// weakened returns the contents of the files without their guards, by their path
// in the repository.
func weakened(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	names := map[string]bool{}
	for _, w := range weaknesses {
		names[w.name+".txt"] = true
		data, err := os.ReadFile(filepath.Join("testdata/weakened", w.name+".txt"))
		require.NoError(t, err, "each weakness needs a build without its guard")
		edits := strings.Split(string(data), "=== file ")
		require.Greater(t, len(edits), 1, w.name)
		for _, edit := range edits[1:] {
			path, rest, _ := strings.Cut(edit, "\n")
			rest, found := strings.CutPrefix(rest, "=== guard\n")
			guard, instead, cut := strings.Cut(rest, "=== weakened\n")
			require.True(t, found && cut, "%s.txt: a file needs a guard and what takes its place", w.name)
			require.Contains(t, rest, `weakened.Has("`+w.name+`")`, "%s.txt", w.name)
			if files[path] == "" {
				source, err := os.ReadFile(filepath.Join(root, path))
				require.NoError(t, err, "%s.txt", w.name)
				files[path] = string(source)
			}
			require.Equal(t, 1, strings.Count(files[path], guard),
				"%s.txt: %s does not contain this guard once; write it as it is there:\n%s", w.name, path, guard)
			files[path] = strings.Replace(files[path], guard, instead, 1)
		}
	}
	present, err := os.ReadDir("testdata/weakened")
	require.NoError(t, err)
	for _, file := range present {
		require.True(t, names[file.Name()], "%s is of no weakness in the list", file.Name())
	}
	return files
}

// overlayOf writes the files, and an overlay for the go command that puts them in
// place of those of the repository. It returns the path of the overlay.
func overlayOf(t *testing.T, files map[string]string) string {
	t.Helper()
	directory := t.TempDir()
	replace := map[string]string{}
	for path, content := range files {
		original, err := filepath.Abs(filepath.Join(root, path))
		require.NoError(t, err)
		replace[original] = filepath.Join(directory, strings.ReplaceAll(path, "/", "_"))
		require.NoError(t, os.WriteFile(replace[original], []byte(content), 0o600))
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	require.NoError(t, err)
	overlay := filepath.Join(directory, "overlay.json")
	require.NoError(t, os.WriteFile(overlay, data, 0o600))
	return overlay
}

// replacements returns the files that take the place of others in this build, by
// absolute path. Only a weakened build has some.
func replacements(t *testing.T) map[string]string {
	t.Helper()
	path := os.Getenv(overlayVariable)
	if path == "" {
		return nil
	}
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var overlay struct{ Replace map[string]string }
	require.NoError(t, json.Unmarshal(data, &overlay))
	return overlay.Replace
}
