package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
)

// order runs the program on a store until it ends, and returns its output.
func order(t *testing.T, file, in string, args ...string) (string, error) {
	t.Helper()
	var out, log syncbuffer.Buffer
	err := run(t.Context(), append([]string{"-store", "sqlite:" + file}, args...), stdio{strings.NewReader(in), &out, &log}, unset)
	return out.String(), err
}

func TestUsersAreManagedWhileTheServiceRuns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir)
	file := filepath.Join(dir, "data", "onezone.db")
	logIn := func(user, password string) answer {
		return s.do("GET", "/user/client_tokens", "", "Authorization", basic(user, password))
	}

	out, err := order(t, file, "", "-create-user", "alice", "-full-name", "Alice of Kraków")
	require.NoError(t, err)
	drawn := regexp.MustCompile(`^created user alice, password ([A-Z2-7]{26})\n$`).FindStringSubmatch(out)
	require.NotNil(t, drawn, out)
	require.Equal(t, 200, logIn("alice", drawn[1]).status)
	_, err = order(t, file, "", "-create-user", "alice")
	require.ErrorContains(t, err, "badValueIdentifierOccupied")
	require.ErrorContains(t, err, "is taken; to change the password, run with -set-password")

	out, err = order(t, file, "correct horse: battery\r\nanother line\n", "-set-password", "alice", "-password-stdin")
	require.NoError(t, err)
	require.Equal(t, "changed the password of user alice\n", out, "who gave the password knows it")
	require.Equal(t, 200, logIn("alice", "correct horse: battery").status)
	require.Equal(t, 401, logIn("alice", drawn[1]).status)
	out, err = order(t, file, "", "-set-password", "alice")
	require.NoError(t, err)
	require.Contains(t, out, ", password ")
	password := out[len(out)-27 : len(out)-1]
	require.Equal(t, 200, logIn("alice", password).status)

	out, err = order(t, file, "", "-block", "alice")
	require.NoError(t, err)
	require.Equal(t, "blocked user alice\n", out)
	a := logIn("alice", password)
	require.Equal(t, 401, a.status)
	require.Contains(t, a.body, "userBlocked")
	out, err = order(t, file, "", "-unblock", "alice")
	require.NoError(t, err)
	require.Equal(t, "unblocked user alice\n", out)
	require.Equal(t, 200, logIn("alice", password).status)

	// The feed propagates the blocking to tokens that were verified just
	// before.
	require.Equal(t, 200, s.verify(s.token, "127.0.0.1").status)
	_, err = order(t, file, "", "-block", "demo")
	require.NoError(t, err)
	eventually(t, func() bool { return s.verify(s.token, "127.0.0.1").status == 400 }, "the token of a blocked user is refused")
}

func TestErrorsInUserCommandsAreReported(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "new", "onezone.db")
	for _, c := range []struct {
		in, want string
		args     []string
	}{
		{"", "notFound", []string{"-block", "nobody"}},
		{"", "notFound", []string{"-set-password", "nobody"}},
		{"", "badValueUsername", []string{"-create-user", "a name"}},
		{"", "badValueFullName", []string{"-create-user", "alice", "-full-name", "?"}},
		{"short\n", "badValuePassword", []string{"-create-user", "alice", "-password-stdin"}},
		{"", "the first line of standard input must be the password", []string{"-create-user", "alice", "-password-stdin"}},
		{"\n", "the first line of standard input must be the password", []string{"-create-user", "alice", "-password-stdin"}},
		{"", "does one thing", []string{"-block", "alice", "-unblock", "alice"}},
		{"", "needs the name", []string{"-block", ""}},
		{"", "needs -create-user", []string{"-block", "alice", "-full-name", "Alice"}},
		{"", "-password-stdin needs", []string{"-block", "alice", "-password-stdin"}},
		{"", "-password-stdin needs", []string{"-password-stdin"}},
		{"", "end with the process", []string{"-store", "memory:", "-create-user", "alice"}},
	} {
		out, err := order(t, file, c.in, c.args...)
		require.ErrorContains(t, err, c.want, "%v", c.args)
		require.Empty(t, out, "nothing was done: %v", c.args)
	}
	_, err := os.Stat(file)
	require.NoError(t, err, "some of these looked into the store")
}
