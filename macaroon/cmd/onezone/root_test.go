package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/nearest"
	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
)

// output runs the program and returns what it prints.
func output(t *testing.T, args ...string) string {
	t.Helper()
	var out, log syncbuffer.Buffer
	require.NoError(t, run(t.Context(), args, stdio{strings.NewReader(""), &out, &log}, unset))
	require.Empty(t, log.String())
	return out.String()
}

func tree() *cobra.Command { return (&program{getenv: unset}).root() }

func TestHelpIsNotAnError(t *testing.T) {
	t.Parallel()
	out, err := exec.Command(binary(t), "serve", "--help").Output()
	require.NoError(t, err)
	require.Contains(t, string(out), "--store STORE")
	require.Contains(t, output(t, "help", "seal-keys"), "head -c 32 /dev/urandom")
	require.Contains(t, output(t, "user", "--help"), "Usage:\n  onezone user COMMAND [flags]\n\n")
	require.Contains(t, output(t, "user", "add", "--help"), "Usage:\n  onezone user add NAME [flags]\n\n")
}

// Each command has help with an example of itself.
func TestEachCommandShowsExamples(t *testing.T) {
	t.Parallel()
	require.Greater(t, len(leaves(tree())), 5)
	for _, c := range leaves(tree()) {
		help := output(t, append(strings.Fields(c.CommandPath())[1:], "--help")...)
		require.Regexp(t, `(?m)^Examples:\n  .*`+c.CommandPath(), help)
	}
}

// The manual page is made of the same texts, and man has no complaints.
func TestTheManualPageHasAllCommandsAndFlags(t *testing.T) {
	t.Parallel()
	page := output(t, "man")
	plain := strings.NewReplacer(`\-`, "-", `\e`, `\`).Replace(page)
	for _, c := range leaves(tree()) {
		require.True(t, strings.Contains(plain, `.SS "`+c.UseLine()+`"`), c.UseLine())
		require.True(t, strings.Contains(plain, c.Example), c.Example)
	}
	for _, name := range settingNames() {
		require.True(t, strings.Contains(plain, "\n--"+name), name)
	}
	require.True(t, strings.Contains(plain, "FLAGS, VARIABLES AND THE CONFIGURATION FILE"))
	groff, err := exec.LookPath("groff")
	if err != nil {
		return // it is not among the packages of the tests
	}
	cmd := exec.Command(groff, "-man", "-Tutf8", "-ww", "-z")
	cmd.Stdin = strings.NewReader(page)
	complaints, err := cmd.CombinedOutput()
	require.NoError(t, err)
	require.Empty(t, string(complaints))
}

func TestCompletionsComplete(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"bash", "zsh", "fish"} {
		require.Contains(t, output(t, "completion", shell), "onezone")
	}
	var out, log syncbuffer.Buffer
	require.NoError(t, run(t.Context(), []string{"__complete", "serve", "--sto"}, stdio{strings.NewReader(""), &out, &log}, unset))
	require.Contains(t, out.String(), "--store-timeout")
	script := filepath.Join(t.TempDir(), "onezone.bash")
	require.NoError(t, os.WriteFile(script, []byte(output(t, "completion", "bash")), 0o600))
	require.NoError(t, exec.Command("bash", "-n", script).Run())
}

func TestVersionNamesCommitAndGo(t *testing.T) {
	t.Parallel()
	out, err := exec.Command(binary(t), "version").Output()
	require.NoError(t, err)
	require.Regexp(t, `^onezone \S+, commit ([0-9a-f]{40}( with changes)?|unknown), `+regexp.QuoteMeta(runtime.Version())+`\n$`, string(out))
	require.Equal(t, runtime.Version(), field(t, output(t, "version", "--json"), "go"))
}

func TestSimilarNamesAreSuggested(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"--adress": "--address", "--stor": "--store", "--store-time": "--store-timeout", "--loglevel": "--log-level",
		"--sealkeyfile": "--seal-key-file", "--xyz": "", "--": "", "": "", "--STORE": "--store", "--drian": "--drain",
	} {
		names := make([]string, 0, 30)
		for _, name := range settingNames() {
			names = append(names, "--"+name)
		}
		require.Equal(t, want, nearest.Name(given, names), given)
	}
}
