package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheLifeOfATokenWithCurl(t *testing.T) {
	t.Parallel()
	need(t, "curl")
	s := start(t, t.TempDir())
	out, err := exec.Command("sh", "life.sh", s.url, "demo", s.password).CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "The whole life of a token, as expected.")
	require.Equal(t, 25, strings.Count(string(out), "\n  2")+strings.Count(string(out), "\n  4"), "requests: %s", out)
}

// A script that continues after unexpected responses would prove nothing.
func TestTheScriptStopsAtAnUnexpectedAnswer(t *testing.T) {
	t.Parallel()
	need(t, "curl")
	s := start(t, t.TempDir())
	out, err := exec.Command("sh", "life.sh", s.url, "demo", "not the password").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "FAILED: POST /user/client_tokens is answered with 401, not 200")
	require.NotContains(t, string(out), "2.")
}
