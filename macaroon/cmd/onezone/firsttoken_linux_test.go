package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
)

// firstTokenWithin is how long a newcomer waits for the first token, from the
// command in the README, once the build cache has the program.
const firstTokenWithin = 10 * time.Second

func TestTheFirstTokenTakesLessThanTenSeconds(t *testing.T) {
	need(t, "curl")
	out, err := exec.Command("go", "run", ".", "version").CombinedOutput() // fills the build cache
	require.NoError(t, err, string(out))

	s := &server{t: t}
	begin := time.Now()
	s.cmd = exec.Command("go", "run", ".", "serve", "--demo", "--address", "127.0.0.1:0", "--admin-address", s.newAdmin(),
		"--drain", "0s", "--store", "sqlite:"+filepath.Join(t.TempDir(), "data", "onezone.db"))
	var log syncbuffer.Buffer
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // go run does not pass signals on
	require.NoError(t, s.cmd.Start())
	defer func() {
		_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGTERM)
		_ = s.cmd.Wait()
	}()
	eventually(t, func() bool { return printedToken.MatchString(s.out.String()) }, "the program prints what to try")
	line, _, _ := strings.Cut(s.out.String()[strings.Index(s.out.String(), "curl "):], "\n")
	var made struct{ Token string }
	require.NoError(t, json.Unmarshal([]byte(shell(t, "curl -sS"+strings.TrimPrefix(line, "curl"))), &made))
	require.NotEmpty(t, made.Token)
	require.Less(t, time.Since(begin), firstTokenWithin, log.String())
}
