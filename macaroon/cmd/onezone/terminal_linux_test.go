package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/pty"
	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
)

// add starts "user add alice" on the terminal. When a text appears, the
// terminal must not show what is typed.
func add(t *testing.T, p *pty.Terminal, file string) (ended chan error) {
	screen := p.Unseen(t)
	ended = make(chan error, 1)
	go func() {
		ended <- run(t.Context(), []string{"user", "add", "--store", "sqlite:" + file, "--log-level", "error", "alice"},
			stdio{p.File, &syncbuffer.Buffer{}, screen}, unset)
	}()
	return ended
}

// A password is typed twice and never shown.
func TestPasswordsAreReadFromTheTerminal(t *testing.T) {
	t.Parallel()
	for again, want := range map[string]string{"a long password": "", "another password": "the two passwords differ"} {
		file := filepath.Join(t.TempDir(), "onezone.db")
		p := pty.New(t)
		ended := add(t, p, file)
		p.Answer(t, "New password of alice: ", "a long password\r")
		p.Answer(t, "Again: ", again+"\r")
		err := <-ended
		require.NotContains(t, p.Screen.String(), "a long")
		require.NotContains(t, p.Screen.String(), again)
		require.True(t, p.Echoes(t), "the terminal is as before")
		if want != "" {
			require.ErrorContains(t, err, want)
			require.Empty(t, listUsers(t, file))
			continue
		}
		require.NoError(t, err)
		s, end := inProcess(t, "--store", "sqlite:"+file)
		require.Equal(t, 200, s.do("GET", "/user", "", "Authorization", basic("alice", "a long password")).status)
		end()
	}
}

// Ctrl-C and Ctrl-D end the question.
func TestAQuestionForAPasswordCanBeLeft(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"\x03", "\x04"} {
		file := filepath.Join(t.TempDir(), "onezone.db")
		p := pty.New(t)
		ended := add(t, p, file)
		p.Answer(t, "New password of alice: ", key)
		require.EqualError(t, <-ended, "reading the password: none was entered")
		require.True(t, p.Echoes(t), "the terminal is as before")
		require.Empty(t, listUsers(t, file))
	}
}

// Tables are aligned on a terminal, and long work shows its progress.
func TestTablesAndProgressAreForTerminals(t *testing.T) {
	t.Parallel()
	file := userStore(t, "alice", "bob-the-builder")
	p := pty.New(t)
	require.NoError(t, run(t.Context(), []string{"user", "list", "--store", "sqlite:" + file}, stdio{strings.NewReader(""), p.File, p.File}, unset))
	eventually(t, func() bool { return strings.Count(p.Screen.String(), "\n") == 3 }, "the table")
	lines := strings.Split(p.Screen.String(), "\n")
	column := strings.Index(lines[0], "NAME")
	for _, line := range lines[1:3] {
		require.Regexp(t, "^(alice|bob-the-builder) ", line[column:], "names begin below the title")
	}

	p = pty.New(t)
	users := strings.NewReader("username,password\ncarol,a long password\ndave,a long password\n")
	require.NoError(t, run(t.Context(), []string{"user", "import", "--store", "sqlite:" + file, "--log-level", "error", "-"},
		stdio{users, &syncbuffer.Buffer{}, p.File}, unset))
	eventually(t, func() bool { return strings.Contains(p.Screen.String(), "] 2 of 2") }, "the bar")
	require.Contains(t, p.Screen.String(), "\rhashing passwords [###############...............] 1 of 2")
}
