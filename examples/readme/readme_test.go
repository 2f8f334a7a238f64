package readme

import (
	"os"
	"path/filepath"
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
	return code
}

// Whatever Go the README shows stands, to the letter, in a test of this package.
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
	shown := blocks(t)
	require.GreaterOrEqual(t, len(shown), 9)
	for _, code := range shown {
		if !strings.HasPrefix(code, "func ") {
			code = indent(code) // the statements of a function
		}
		require.True(t, strings.Contains(source.String(), code), "the README shows what no test has:\n%s", code)
	}
}

func indent(code string) string {
	var b strings.Builder
	for line := range strings.Lines(code) {
		if line != "\n" {
			b.WriteByte('\t')
		}
		b.WriteString(line)
	}
	return b.String()
}
