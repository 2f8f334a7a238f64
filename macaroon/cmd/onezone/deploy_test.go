package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
)

var deployed = filepath.Join("..", "..", "..", "deploy")

func TestTheConfigurationToDeployIsValid(t *testing.T) {
	t.Parallel()
	s, err := parsed(t, unset, "--config", filepath.Join(deployed, "onezone.toml"))
	require.NoError(t, err)
	require.Equal(t, "json", s.logFormat)
	require.False(t, s.demoIfNew)
}

// The unit runs a command that exists, and gives it more time to stop than it
// needs.
func TestTheUnitStartsTheService(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(deployed, "onezone.service"))
	require.NoError(t, err)
	start := regexp.MustCompile(`(?m)^ExecStart=/usr/local/bin/onezone (.*)$`).FindStringSubmatch(string(text))
	require.NotNil(t, start)
	require.Equal(t, "serve --config /etc/onezone/onezone.toml", start[1])
	require.Contains(t, string(text), "\nType=notify\n")
	s, err := parsed(t, unset)
	require.NoError(t, err)
	require.Less(t, (s.drain + shutdownTimeout).Seconds(), 120.0)
	require.Contains(t, string(text), "\nTimeoutStopSec=120\n")

	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		return // not on every system
	}
	unit := filepath.Join(t.TempDir(), "onezone.service")
	local := strings.Replace(string(text), "/usr/local/bin/onezone ", binary(t)+" ", 1)
	require.NoError(t, os.WriteFile(unit, []byte(local), 0o600))
	out, err := exec.Command(analyze, "verify", "--man=no", unit).CombinedOutput()
	require.NoError(t, err, string(out))
	require.Empty(t, string(out))
}

// The variables of the container are settings.
func TestTheContainerSetsKnownVariables(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(deployed, "Containerfile"))
	require.NoError(t, err)
	line := regexp.MustCompile(`(?m)^ENV (ONEZONE_.*)$`).FindStringSubmatch(string(text))
	require.NotNil(t, line)
	var pairs []string
	for _, each := range strings.Fields(line[1]) {
		name, value, _ := strings.Cut(each, "=")
		pairs = append(pairs, name, value)
	}
	var out, log syncbuffer.Buffer
	require.NoError(t, run(t.Context(), []string{"config", "check"}, stdio{strings.NewReader(""), &out, &log}, environment(pairs...)))
	require.Equal(t, len(pairs)/2, strings.Count(out.String(), "variable ONEZONE_"))
	require.Contains(t, string(text), "./macaroon/cmd/onezone ")
}
