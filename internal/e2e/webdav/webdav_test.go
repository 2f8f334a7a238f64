//go:build e2e

// Package webdav has rclone and davix use the files of the example
// resource-server, with tokens that the service gives out.
package webdav

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is how long a program may take.
const patience = 30 * time.Second

// programs builds resource-server and onetoken, and returns their directory.
var programs = sync.OnceValues(func() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "webdav-"); err != nil {
		return "", err
	}
	const module = "github.com/onezone-go/onezone/"
	build := exec.Command("go", "build", "-o", dir, module+"examples/resource-server", module+"macaroon/cmd/onetoken")
	if out, err := build.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("build the programs: %w: %s", err, out)
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, _ := programs(); dir != "" {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// requireInstalled skips the test without the programs, and fails it in CI.
func requireInstalled(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		_, err := exec.LookPath(name)
		if err != nil && os.Getenv("CI") != "" {
			t.Fatalf("%s is missing: .ci/packages installs it", name)
		}
		if err != nil {
			t.Skipf("%s is missing: .ci/packages installs it", name)
		}
	}
}

// service is a running resource-server with a token for all of its files.
type service struct {
	files string // URL
	token string
	root  string // of its files
	home  string // the directory of the clients
}

func start(t *testing.T) service {
	t.Helper()
	bin, err := programs()
	require.NoError(t, err)
	s := service{root: t.TempDir(), home: t.TempDir()}
	for _, name := range []string{"space1/results/hello.txt", "space1/own.txt", "space2/other.txt"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(s.root, name)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(s.root, name), []byte("hello\n"), 0o600))
	}
	ctx, stop := context.WithCancel(context.Background())
	server := exec.CommandContext(ctx, filepath.Join(bin, "resource-server"), "-listen", "127.0.0.1:0", "-dir", s.root)
	out, err := server.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		stop()
		_ = server.Wait()
	})
	lines := bufio.NewScanner(out)
	for s.token == "" && lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), "FILES="); ok {
			s.files = value
		}
		if value, ok := strings.CutPrefix(lines.Text(), "TOKEN="); ok {
			s.token = value
		}
	}
	require.NotEmpty(t, s.token)
	go func() { _, _ = io.Copy(io.Discard, out) }() // until the server has exited
	return s
}

// run runs a program in the home directory, and returns its output.
func (s service) run(t *testing.T, name string, args ...string) (stdout string, err error) {
	t.Helper()
	bin, err := programs()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = s.home
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "HOME="+s.home, "FILES="+s.files, "TOKEN="+s.token,
		"RCLONE_RETRIES=1", "RCLONE_LOW_LEVEL_RETRIES=1", "RCLONE_CONFIG=")
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err = cmd.Run(); err != nil {
		err = fmt.Errorf("%s %q: %w: %s", name, args, err, problems.String())
	}
	return out.String(), err
}

// tokenCommand asks the service for a token, and returns a command that prints
// a copy of it by onetoken.
func (s service) tokenCommand(t *testing.T, path, caveats string) string {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, s.files+path, strings.NewReader(`{"caveats":[`+caveats+`],"validity":"PT1H"}`))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/macaroon-request")
	r.Header.Set("Authorization", "Bearer "+s.token)
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	var answer struct{ Macaroon string }
	require.NoError(t, json.NewDecoder(res.Body).Decode(&answer))
	require.NotEmpty(t, answer.Macaroon)
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte(answer.Macaroon), 0o600))
	script := filepath.Join(t.TempDir(), "token.sh")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\nexec onetoken confine --ttl 5m < "+file+"\n"), 0o700))
	return script
}

const reading = `"activity:DOWNLOAD,LIST"`

func TestRclone(t *testing.T) {
	requireInstalled(t, "rclone")
	s := start(t)
	rclone := func(tokenCommand string, args ...string) (string, error) {
		return s.run(t, "rclone", append([]string{"--webdav-url", s.files, "--webdav-bearer-token-command", tokenCommand}, args...)...)
	}
	local := filepath.Join(s.home, "new.txt")
	require.NoError(t, os.WriteFile(local, []byte("new"), 0o600))

	readonly := s.tokenCommand(t, "/space1/results", reading)
	for want, args := range map[string][]string{
		"hello.txt\n": {"lsf", "-R", ":webdav:space1/results"},
		"hello\n":     {"cat", ":webdav:space1/results/hello.txt"},
		"space1/\nspace1/results/\nspace1/results/hello.txt\n": {"lsf", "-R", ":webdav:"},
	} {
		out, err := rclone(readonly, args...)
		require.NoError(t, err)
		require.Equal(t, want, out)
	}
	for _, args := range [][]string{
		{"copyto", local, ":webdav:space1/results/new.txt"},
		{"copyto", local, ":webdav:space1/results/hello.txt"},
		{"moveto", ":webdav:space1/results/hello.txt", ":webdav:space1/results/moved.txt"},
		{"deletefile", ":webdav:space1/results/hello.txt"},
		{"purge", ":webdav:space1/results"},
		{"cat", ":webdav:space1/own.txt"},
		{"lsf", ":webdav:space2"},
	} {
		_, err := rclone(readonly, args...)
		require.ErrorContains(t, err, "tokenCaveatUnverified", args)
	}

	writable := s.tokenCommand(t, "/space1/results", "")
	for _, args := range [][]string{
		{"copyto", local, ":webdav:space1/results/deep/down/new.txt"},
		{"moveto", ":webdav:space1/results/deep/down/new.txt", ":webdav:space1/results/moved.txt"},
		{"deletefile", ":webdav:space1/results/hello.txt"},
	} {
		_, err := rclone(writable, args...)
		require.NoError(t, err)
	}
	for _, args := range [][]string{
		{"copyto", local, ":webdav:space1/new.txt"},
		{"moveto", ":webdav:space1/results/moved.txt", ":webdav:space2/moved.txt"},
		{"deletefile", ":webdav:space2/other.txt"},
	} {
		_, err := rclone(writable, args...)
		require.ErrorContains(t, err, "tokenCaveatUnverified", args)
	}
	out, err := s.run(t, "find", s.root, "-type", "f", "-printf", "%P %s\n")
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"space1/results/moved.txt 3", "space1/own.txt 6", "space2/other.txt 6"}, strings.Split(strings.TrimSpace(out), "\n"))
}

func TestDavix(t *testing.T) {
	requireInstalled(t, "davix-ls", "davix-get", "davix-put", "davix-rm")
	s := start(t)
	davix := func(program, tokenCommand string, args ...string) (string, error) {
		token, err := s.run(t, tokenCommand)
		require.NoError(t, err)
		return s.run(t, program, append([]string{"-H", "Authorization: Bearer " + strings.TrimSpace(token)}, args...)...)
	}
	local := filepath.Join(s.home, "new.txt")
	require.NoError(t, os.WriteFile(local, []byte("new"), 0o600))

	readonly := s.tokenCommand(t, "/space1/results", reading)
	out, err := davix("davix-ls", readonly, s.files+"/space1/results")
	require.NoError(t, err)
	require.Equal(t, "hello.txt\n", out)
	out, err = davix("davix-get", readonly, s.files+"/space1/results/hello.txt")
	require.NoError(t, err)
	require.Equal(t, "hello\n", out)
	_, err = davix("davix-put", readonly, local, s.files+"/space1/results/new.txt")
	require.ErrorContains(t, err, "HTTP 401")
	_, err = davix("davix-ls", readonly, s.files+"/space2")
	require.ErrorContains(t, err, "HTTP 401")

	writable := s.tokenCommand(t, "/space1/results", "")
	_, err = davix("davix-put", writable, local, s.files+"/space1/results/new.txt")
	require.NoError(t, err)
	_, err = davix("davix-rm", writable, s.files+"/space1/results/hello.txt")
	require.NoError(t, err)
	out, err = davix("davix-ls", writable, s.files+"/space1/results")
	require.NoError(t, err)
	require.Equal(t, "new.txt\n", out)
}

// The commands of the guide work as they are written.
func TestGuide(t *testing.T) {
	requireInstalled(t, "bash", "curl", "jq", "rclone", "davix-get")
	guide, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "guide.md"))
	require.NoError(t, err)
	_, section, ok := strings.Cut(string(guide), "## Serve files to rclone, davix and gfal2")
	require.True(t, ok)
	section, _, _ = strings.Cut(section, "\n## ")
	blocks := strings.Split(section, "```bash\n")
	require.Len(t, blocks, 3)
	commands, _, _ := strings.Cut(blocks[2], "```")
	s := start(t)
	out, err := s.run(t, "bash", "-euo", "pipefail", "-c", commands)
	require.NoError(t, err)
	require.Equal(t, "Created        6 hello.txt\nhello\n", out)
}
