// Package python runs the programs of tests in Python: other implementations of
// macaroons.
package python

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Interpreter returns an interpreter that can run the statement. Debian's
// packages work only with Debian's interpreter, which need not be the first in
// the path. If there is none, the test is skipped, or fails in CI.
func Interpreter(t *testing.T, statement string) string {
	t.Helper()
	for _, interpreter := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(interpreter, "-c", statement).Run() == nil {
			return interpreter
		}
	}
	why := "no python3 can do this: " + statement
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
	return ""
}

// Run runs a program with the JSON of a value as its input, and returns what it
// prints. The error is about its exit status.
func Run(t *testing.T, interpreter, program string, input any) (output string, err error) {
	t.Helper()
	in, err := json.Marshal(input)
	require.NoError(t, err)
	cmd := exec.Command(interpreter, "-B", program) // without files of bytecode
	cmd.Stdin = strings.NewReader(string(in))
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}
