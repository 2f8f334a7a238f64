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
	err := run(t.Context(), append(args, "--store", "sqlite:"+file), stdio{strings.NewReader(in), &out, &log}, unset)
	return out.String(), err
}

// A mistyped path is not a new store without users.
func TestCommandsAboutExistingRecordsCreateNoStore(t *testing.T) {
	t.Parallel()
	for _, c := range [][]string{
		{"user", "list"}, {"user", "show", "alice"}, {"user", "block", "alice"}, {"user", "passwd", "alice"}, {"user", "delete", "alice"},
		{"user", "grant", "alice", "oz_tokens_manage"}, {"token", "list"}, {"token", "revoke", "t1"},
		{"token", "issue", "--user", "alice", "--name", "laptop"}, {"provider", "list"}, {"provider", "block", "lyon-1"},
	} {
		file := filepath.Join(t.TempDir(), "data", "onezone.db")
		_, err := order(t, file, "a long password\n", c...)
		require.ErrorContains(t, err, "--store sqlite:"+file+": stat "+file+": no such file", c)
		require.NoDirExists(t, filepath.Dir(file))
	}
}

func TestAPasswordAsAnArgumentIsRefusedAndNotRepeated(t *testing.T) {
	t.Parallel()
	for _, c := range []string{"add", "passwd"} {
		_, err := order(t, filepath.Join(t.TempDir(), "onezone.db"), "", "user", c, "alice", "hunter22")
		require.Equal(t, exitUsage, exitCode(err))
		require.ErrorContains(t, err, "a password must not be an argument")
		require.ErrorContains(t, err, "run onezone user "+c+" alice, which reads it from")
		require.NotContains(t, err.Error(), "hunter22")
	}
}

func TestUsersAreManagedWhileTheServiceRuns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir)
	file := filepath.Join(dir, "data", "onezone.db")
	logIn := func(user, password string) answer {
		return s.do("GET", "/user/client_tokens", "", "Authorization", basic(user, password))
	}

	out, err := order(t, file, "", "user", "add", "--generate", "--full-name", "Alice of Kraków", "alice")
	require.NoError(t, err)
	drawn := regexp.MustCompile(`^created user alice with the id ([0-9a-f]{32}), password ([A-Z2-7]{26})\n$`).FindStringSubmatch(out)
	require.NotNil(t, drawn, out)
	id := drawn[1]
	require.Equal(t, 200, logIn("alice", drawn[2]).status)
	_, err = order(t, file, "", "user", "add", "--generate", "alice")
	require.ErrorContains(t, err, "badValueIdentifierOccupied")
	require.ErrorContains(t, err, "is taken; to change the password, run: onezone user passwd alice")

	out, err = order(t, file, "correct horse: battery\r\nanother line\n", "user", "passwd", "alice")
	require.NoError(t, err)
	require.Equal(t, "changed the password of user alice\n", out, "who gave the password knows it")
	require.Equal(t, 200, logIn("alice", "correct horse: battery").status)
	require.Equal(t, 401, logIn("alice", drawn[2]).status)
	out, err = order(t, file, "", "user", "passwd", "--generate", "--json", id)
	require.NoError(t, err)
	require.Equal(t, id, field(t, out, "userId"))
	password := field(t, out, "password")
	require.Equal(t, 200, logIn("alice", password).status)

	out, err = order(t, file, "", "user", "block", "alice")
	require.NoError(t, err)
	require.Equal(t, "blocked user alice\n", out)
	a := logIn("alice", password)
	require.Equal(t, 401, a.status)
	require.Contains(t, a.body, "userBlocked")
	out, err = order(t, file, "", "user", "unblock", "alice")
	require.NoError(t, err)
	require.Equal(t, "unblocked user alice\n", out)
	require.Equal(t, 200, logIn("alice", password).status)

	// The feed propagates the blocking to tokens that were verified just
	// before.
	require.Equal(t, 200, s.verify(s.token, "127.0.0.1").status)
	_, err = order(t, file, "", "user", "block", "demo")
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
		{"", "badValueUsername", []string{"user", "add", "--no-password", "a name"}},
		{"", "badValueFullName", []string{"user", "add", "--no-password", "alice", "--full-name", "?"}},
		{"short\n", "badValuePassword", []string{"user", "add", "alice"}},
		{"", "the first line of standard input must be the password", []string{"user", "add", "alice"}},
		{"\n", "the first line of standard input must be the password", []string{"user", "add", "alice"}},
		{"", "exclude each other", []string{"user", "add", "--generate", "--no-password", "alice"}},
		{"", `there is no user "nobody"; onezone user list lists all`, []string{"user", "block", "nobody"}},
		{"", `there is no user "nobody"; onezone user list lists all`, []string{"user", "passwd", "nobody"}},
	} {
		out, err := order(t, file, c.in, c.args...)
		require.ErrorContains(t, err, c.want, "%v", c.args)
		require.Empty(t, out, "nothing was done: %v", c.args)
	}
	_, err := os.Stat(file)
	require.NoError(t, err, "some of these looked into the store")
}

func TestUsersAreListedShownRenamedAndDeleted(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "onezone.db")
	out, err := order(t, file, "a password\n", "user", "add", "--json", "--full-name", "Alice Liddell", "alice")
	require.NoError(t, err)
	id := field(t, out, "userId")
	require.NotContains(t, out, "password", "who gave it knows it")
	_, err = order(t, file, "", "user", "add", "--no-password", "bob")
	require.NoError(t, err)
	_, err = order(t, file, "", "user", "block", "bob")
	require.NoError(t, err)

	out, err = order(t, file, "", "user", "list")
	require.NoError(t, err)
	require.Contains(t, out, "ID\tNAME\tFULL NAME\tPASSWORD\tBLOCKED\tCREATED\tRIGHTS\n")
	require.Contains(t, out, id+"\talice\tAlice Liddell\tyes\tno\t20")
	require.Contains(t, out, "\tbob\t\tno\tyes\t20")

	out, err = order(t, file, "", "user", "rename", "--full-name", "Alicia Liddell", "alice", "alicia")
	require.NoError(t, err)
	require.Equal(t, "renamed user alice to alicia\n", out)
	_, err = order(t, file, "", "user", "rename", "alicia", "bob")
	require.ErrorContains(t, err, "badValueIdentifierOccupied")
	_, err = order(t, file, "", "user", "token", "alicia")
	require.ErrorContains(t, err, `unknown command "token"`)
	_, err = order(t, file, "", "token", "issue", "--user", "alicia", "--name", "laptop")
	require.NoError(t, err)
	out, err = order(t, file, "", "user", "show", "alicia", "--json")
	require.NoError(t, err)
	require.Equal(t, id, field(t, out, "userId"))
	require.Equal(t, "Alicia Liddell", field(t, out, "fullName"))
	require.Contains(t, out, `"namedTokens": 1`)
	out, err = order(t, file, "", "user", "show", id)
	require.NoError(t, err)
	require.Contains(t, out, "\nname\talicia\n")

	out, err = order(t, file, "", "user", "delete", "alicia")
	require.NoError(t, err)
	require.Equal(t, "deleted user alicia\n", out)
	require.Len(t, listUsers(t, file), 1)
	_, err = order(t, file, "", "user", "show", "alicia")
	require.ErrorContains(t, err, `there is no user "alicia"`)
	out, err = order(t, file, "", "token", "list", "--json")
	require.NoError(t, err)
	require.JSONEq(t, "[]", out, "the tokens went with the user")
}
