package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
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

func write(t *testing.T, file, text string) string {
	t.Helper()
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

func eventually(t *testing.T, holds func() bool, what string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); <-time.After(time.Millisecond) {
		require.False(t, time.Now().After(deadline), "gave up waiting: "+what)
	}
}

func TestMistakesAreReportedAtTheStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good := write(t, filepath.Join(dir, "good.toml"), goodRules)
	bad := write(t, filepath.Join(dir, "bad.toml"), strings.Replace(goodRules, "allow", "alow", 1))
	for _, c := range []struct {
		args  string
		want  string
		usage bool
	}{
		{"", "--rules FILE is required", true},
		{"--rulez x", "flag provided but not defined: -rulez; --help lists all flags", true},
		{"--rules " + good, "either --onezone URL or --store STORE is required", true},
		{"--rules " + good + " --onezone https://x --store sqlite:x", "either --onezone URL or --store STORE is required", true},
		{"--rules " + good + " --store memory:", "--store: it must be sqlite:PATH, postgres://... or redis://...", true},
		{"--rules " + good + " --onezone http://onezone.example.org", "--onezone: ", false},
		{"--rules " + good + " --onezone https://x --trusted-proxies 10.0.0.1", `--trusted-proxies: "10.0.0.1" must be a network such as 10.0.0.0/8`, true},
		{"--rules " + good + " --onezone https://x --max-age -1s", "--max-age must not be negative", true},
		{"--rules " + good + " --onezone https://x --address nowhere", "--address nowhere: ", false},
		{"--rules " + good + " --onezone https://x serve", `unexpected argument "serve"`, true},
		{"--rules " + bad + " --onezone https://x", `bad.toml:6: alow: unknown key; did you mean "allow"?`, false},
		{"--rules " + filepath.Join(dir, "none") + " --onezone https://x", "no such file", false},
		{"check " + good, "usage: gate check RULES METHOD PATH", true},
		{"check " + bad + " GET /me", `bad.toml:6: alow`, false},
		{"check " + good + " GET /other", "no rule matches the path", false},
	} {
		var stdout, stderr bytes.Buffer
		err := run(t.Context(), strings.Fields(c.args), nil, &stdout, &stderr)
		require.ErrorContains(t, err, c.want, c.args)
		assert.Equal(t, c.usage, errors.As(err, new(usageError)), c.args)
		assert.Empty(t, stdout.String(), c.args)
	}
}

func TestCheckPrintsWhatIsAsked(t *testing.T) {
	t.Parallel()
	file := write(t, filepath.Join(t.TempDir(), "rules.toml"), goodRules)
	var stdout bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"check", file, "GET", "/me?a=b"}, nil, &stdout, io.Discard))
	assert.Equal(t, "rule       rules.toml:3, path \"/me\"\nallow      every client\ntoken      identity\n", stdout.String())
}

var servesAt = regexp.MustCompile(`msg=serving address=(\S+)`)

func TestRulesAreReadAgainAfterASignal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, database := write(t, filepath.Join(dir, "rules.toml"), goodRules), filepath.Join(dir, "onezone.db")
	token := issue(t, database)
	ctx, stop := context.WithCancel(t.Context())
	var log syncbuffer.Buffer
	hangup, ended := make(chan os.Signal), make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"--rules", file, "--store", "sqlite:" + database, "--address", "127.0.0.1:0"}, hangup, io.Discard, &log)
	}()
	eventually(t, func() bool { return servesAt.MatchString(log.String()) }, "the gate serves")
	address := servesAt.FindStringSubmatch(log.String())[1]
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
	assert.Equal(t, http.StatusOK, ask("/me"))
	assert.Equal(t, http.StatusForbidden, ask("/you"))

	write(t, file, strings.Replace(goodRules, `"/me"`, `"me"`, 1))
	hangup <- syscall.SIGHUP
	eventually(t, func() bool { return strings.Contains(log.String(), "kept the old rules") }, "the gate refuses the file")
	assert.Contains(t, log.String(), `rules.toml:4: path: \"me\" must begin with a slash`)
	assert.Equal(t, http.StatusOK, ask("/me"))

	write(t, file, strings.Replace(goodRules, `"/me"`, `"/you"`, 1))
	hangup <- syscall.SIGHUP
	eventually(t, func() bool { return strings.Contains(log.String(), "replaced the rules") }, "the gate replaces the rules")
	assert.Equal(t, http.StatusForbidden, ask("/me"))
	assert.Equal(t, http.StatusOK, ask("/you"))

	stop()
	assert.NoError(t, <-ended)
	assert.NotContains(t, log.String(), token)
}

// issue creates a store with a user and returns an identity token.
func issue(t *testing.T, database string) string {
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
