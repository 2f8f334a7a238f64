package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/freeport"
	"github.com/onezone-go/onezone/internal/testing/pgtest"
)

// shellBlock is a block of commands, with what they print or how they fail.
var shellBlock = regexp.MustCompile("(?m)(?:^<!-- (prints|fails): (.*) -->\n)?^```sh\n((?:.*\n)*?)^```$")

// A day of an operator is the commands of docs/operations.md, in one shell.
func TestTheDayOfAnOperator(t *testing.T) {
	t.Parallel()
	need(t, "curl")
	document, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "operations.md"))
	require.NoError(t, err)
	const sqlite, postgres = "sqlite:data/onezone.db", "postgres://onezone@127.0.0.1:5432/onezone"
	require.Equal(t, 1, strings.Count(string(document), sqlite))
	require.Equal(t, 1, strings.Count(string(document), postgres))
	for name, replace := range map[string]func() []string{
		"from SQLite to PostgreSQL": func() []string { return []string{postgres, pgtest.Own(t).URL} },
		"from PostgreSQL to SQLite": func() []string {
			return []string{sqlite, pgtest.Own(t).URL, postgres, "sqlite:moved/onezone.db"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.NewReplacer(append(replace(), "9080", freePort(t), "9089", freePort(t))...).
				Replace(string(document))
			runDay(t, text)
		})
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	port, err := freeport.Find()
	require.NoError(t, err)
	return port
}

// runDay runs the blocks of the document in one shell and checks what they print.
func runDay(t *testing.T, document string) {
	t.Helper()
	blocks := shellBlock.FindAllStringSubmatch(document, -1)
	require.Len(t, blocks, strings.Count(document, "```sh\n"), "every command is run")
	require.GreaterOrEqual(t, len(blocks), 30)
	dir := t.TempDir()
	script := "set -eu\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n"
	for i, block := range blocks {
		kind, commands := block[1], fmt.Sprintf("{\n%s} > out.%d 2>&1", block[3], i)
		if kind == "fails" {
			script += fmt.Sprintf("if %s\nthen echo 'block %d does not fail' >&2; exit 1; fi\n", commands, i)
		} else {
			script += fmt.Sprintf("echo %d > block\n%s\n", i, commands)
		}
	}
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(binary(t))+string(os.PathListSeparator)+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		at, _ := os.ReadFile(filepath.Join(dir, "block"))
		last, _ := os.ReadFile(filepath.Join(dir, "out."+strings.TrimSpace(string(at))))
		log, _ := os.ReadFile(filepath.Join(dir, "onezone.log"))
		require.NoError(t, err, "block %s: %s\n%s\nlog: %s", at, last, out, log)
	}
	for i, block := range blocks {
		printed, err := os.ReadFile(filepath.Join(dir, fmt.Sprint("out.", i)))
		require.NoError(t, err)
		require.Contains(t, string(printed), block[2], block[3])
	}
}
