package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store/sqlite"
)

const goodRules = `proxy = "nginx"

[[rule]]
path = "/me"
methods = ["GET"]
allow = ["client"]
`

// writeRules writes a file in the directory and returns its path.
func writeRules(t *testing.T, dir, name, text string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

func TestMistakesOfAGateAreReportedAtTheStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good := writeRules(t, dir, "good.toml", goodRules)
	bad := writeRules(t, dir, "bad.toml", strings.Replace(goodRules, "allow", "alow", 1))
	for _, c := range []struct {
		args string
		want string
		code int
	}{
		{"--onezone https://x", "--rules FILE is required", exitUsage},
		{"--rulez x", "unknown flag --rulez for onezone gate, did you mean --rules?; onezone gate --help lists all flags", exitUsage},
		{"--rules " + good, "either --onezone URL or --store STORE is required", exitUsage},
		{"--rules " + good + " --onezone https://x --store sqlite:x", "--onezone and --store must not be given together", exitUsage},
		{"--rules " + good + " --store memory:", "records in memory: end with the process; give a --store that lasts", exitUsage},
		{"--rules " + good + " --store sqlite:" + filepath.Join(dir, "none.db"), "no such file or directory", exitFailure},
		{"--rules " + good + " --onezone http://onezone.example.org", "--onezone: ", exitFailure},
		{"--rules " + good + " --onezone https://x --trusted-proxies 10.0.0.0/33", `want networks such as 10.0.0.0/8`, exitUsage},
		{"--rules " + good + " --onezone https://x --max-age -1s", "--max-age must not be negative", exitUsage},
		{"--rules " + good + " --onezone https://x --address nowhere", "--address", exitUsage},
		{"--rules " + good + " --onezone https://x serve", `unexpected argument "serve"`, exitUsage},
		{"--rules " + bad + " --onezone https://x", `bad.toml:6: alow: unknown key; did you mean "allow"?`, exitFailure},
		{"--rules " + filepath.Join(dir, "none") + " --onezone https://x", "no such file", exitFailure},
		{"check " + good, "onezone gate check needs METHOD; the usage is: onezone gate check RULES METHOD PATH", exitUsage},
		{"check " + bad + " GET /me", `bad.toml:6: alow`, exitFailure},
		{"check " + good + " GET /other", "no rule matches the path", exitFailure},
	} {
		var out, log syncbuffer.Buffer
		err := run(t.Context(), append([]string{"gate"}, strings.Fields(c.args)...), stdio{strings.NewReader(""), &out, &log}, unset)
		require.ErrorContains(t, err, c.want, c.args)
		require.Equal(t, c.code, exitCode(err), c.args)
		require.Empty(t, out.String(), c.args)
	}
}

func TestTheCheckOfAGatePrintsWhatIsAsked(t *testing.T) {
	t.Parallel()
	file := writeRules(t, t.TempDir(), "rules.toml", goodRules)
	var out, log syncbuffer.Buffer
	require.NoError(t, run(t.Context(), []string{"gate", "check", file, "GET", "/me?a=b"}, stdio{strings.NewReader(""), &out, &log}, unset))
	require.Equal(t, "rule       rules.toml:3, path \"/me\"\nallow      every client\ntoken      identity\n", out.String())
}

var gateServesAt = regexp.MustCompile(`msg=serving address=(\S+)`)

func TestAGateReadsItsRulesAgainAfterASignal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, database := writeRules(t, dir, "rules.toml", goodRules), filepath.Join(dir, "onezone.db")
	token := issueIdentity(t, database)
	var log syncbuffer.Buffer
	audit := filepath.Join(dir, "audit.jsonl")
	c := exec.Command(binary(t), "gate", "--rules", file, "--store", "sqlite:"+database, "--address", "127.0.0.1:0", "--audit", audit)
	c.Stdout, c.Stderr = &log, &log
	require.NoError(t, c.Start())
	t.Cleanup(func() { _ = c.Process.Kill() })
	logs := func(text string) { eventually(t, func() bool { return strings.Contains(log.String(), text) }, text) }
	logs("msg=serving")
	address := gateServesAt.FindStringSubmatch(log.String())[1]
	ask := func(target string) int {
		r, err := http.NewRequest(http.MethodGet, "http://"+address, nil)
		require.NoError(t, err)
		r.Header.Set("X-Original-Method", "GET")
		r.Header.Set("X-Original-URI", target)
		r.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode
	}
	require.Equal(t, http.StatusOK, ask("/me"))
	require.Equal(t, http.StatusForbidden, ask("/you"))

	writeRules(t, dir, "rules.toml", strings.Replace(goodRules, `"/me"`, `"me"`, 1))
	require.NoError(t, c.Process.Signal(syscall.SIGHUP))
	logs("kept the old rules")
	require.Contains(t, log.String(), `rules.toml:4: path: \"me\" must begin with a slash`)
	require.Equal(t, http.StatusOK, ask("/me"))

	writeRules(t, dir, "rules.toml", strings.Replace(goodRules, `"/me"`, `"/you"`, 1))
	require.NoError(t, c.Process.Signal(syscall.SIGHUP))
	logs("replaced the rules")
	require.Equal(t, http.StatusForbidden, ask("/me"))
	require.Equal(t, http.StatusOK, ask("/you"))

	require.NoError(t, c.Process.Signal(syscall.SIGTERM))
	require.NoError(t, c.Wait(), "it ends with success: %s", log.String())
	require.NotContains(t, log.String(), token)
	lines, err := os.ReadFile(audit)
	require.NoError(t, err)
	require.Contains(t, string(lines), `"verified"`)
	require.NotContains(t, string(lines), token)
}

// issueIdentity creates a store with a user and returns an identity token.
func issueIdentity(t *testing.T, database string) string {
	t.Helper()
	records, err := sqlite.Open(t.Context(), database, sqlite.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, records.Close()) }()
	require.NoError(t, records.Migrate(t.Context()))
	authority, err := macaroon.NewAuthority(records)
	require.NoError(t, err)
	alice, err := authority.CreateUser(t.Context(), macaroon.NewUser{ID: "alice"})
	require.NoError(t, err)
	token, err := authority.IssueNamed(t.Context(), "laptop", macaroon.Grant{Subject: alice, Type: macaroon.IdentityToken()})
	require.NoError(t, err)
	return token.String()
}
