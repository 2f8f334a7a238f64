package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	// Pseudo-terminals, which package syscall cannot make.
	"golang.org/x/sys/unix"

	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
)

// pseudoTerminal is a terminal and the keyboard and screen of its user.
type pseudoTerminal struct {
	user, terminal *os.File
	screen         syncbuffer.Buffer
}

func newTerminal(t *testing.T) *pseudoTerminal {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = user.Close() })
	require.NoError(t, unix.IoctlSetPointerInt(int(user.Fd()), unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(int(user.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	terminal, err := os.OpenFile(fmt.Sprint("/dev/pts/", number), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = terminal.Close() })
	p := &pseudoTerminal{user: user, terminal: terminal}
	go func() { _, _ = io.Copy(&p.screen, user) }()
	return p
}

// answer waits for a prompt and types a line.
func (p *pseudoTerminal) answer(t *testing.T, prompt, line string) {
	t.Helper()
	eventually(t, func() bool { return strings.HasSuffix(p.screen.String(), prompt) }, "the program asks: "+prompt)
	_, err := io.WriteString(p.user, line)
	require.NoError(t, err)
}

// echoes reports whether the terminal shows what is typed.
func (p *pseudoTerminal) echoes(t *testing.T) bool {
	state, err := unix.IoctlGetTermios(int(p.terminal.Fd()), unix.TCGETS)
	return assert.NoError(t, err) && state.Lflag&unix.ECHO != 0
}

// writerFunc is a function as a writer.
type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// add starts "user add alice" on the terminal. When a text appears, the
// terminal must not show what is typed.
func (p *pseudoTerminal) add(t *testing.T, file string) (ended chan error) {
	screen := writerFunc(func(b []byte) (int, error) {
		if p.echoes(t) {
			t.Errorf("%q appears while the terminal shows what is typed", b)
		}
		return p.terminal.Write(b)
	})
	ended = make(chan error, 1)
	go func() {
		ended <- run(t.Context(), []string{"user", "add", "--store", "sqlite:" + file, "--log-level", "error", "alice"},
			stdio{p.terminal, &syncbuffer.Buffer{}, screen}, unset)
	}()
	return ended
}

// A password is typed twice and never shown.
func TestPasswordsAreReadFromTheTerminal(t *testing.T) {
	t.Parallel()
	for again, want := range map[string]string{"a long password": "", "another password": "the two passwords differ"} {
		file := filepath.Join(t.TempDir(), "onezone.db")
		p := newTerminal(t)
		ended := p.add(t, file)
		p.answer(t, "New password of alice: ", "a long password\r")
		p.answer(t, "Again: ", again+"\r")
		err := <-ended
		require.NotContains(t, p.screen.String(), "a long")
		require.NotContains(t, p.screen.String(), again)
		require.True(t, p.echoes(t), "the terminal is as before")
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
		p := newTerminal(t)
		ended := p.add(t, file)
		p.answer(t, "New password of alice: ", key)
		require.EqualError(t, <-ended, "reading the password: none was entered")
		require.True(t, p.echoes(t), "the terminal is as before")
		require.Empty(t, listUsers(t, file))
	}
}

// Tables are aligned on a terminal, and long work shows its progress.
func TestTablesAndProgressAreForTerminals(t *testing.T) {
	t.Parallel()
	file := userStore(t, "alice", "bob-the-builder")
	p := newTerminal(t)
	require.NoError(t, run(t.Context(), []string{"user", "list", "--store", "sqlite:" + file}, stdio{strings.NewReader(""), p.terminal, p.terminal}, unset))
	eventually(t, func() bool { return strings.Count(p.screen.String(), "\n") == 3 }, "the table")
	lines := strings.Split(p.screen.String(), "\n")
	column := strings.Index(lines[0], "NAME")
	for _, line := range lines[1:3] {
		require.Regexp(t, "^(alice|bob-the-builder) ", line[column:], "names begin below the title")
	}

	p = newTerminal(t)
	users := strings.NewReader("username,password\ncarol,a long password\ndave,a long password\n")
	require.NoError(t, run(t.Context(), []string{"user", "import", "--store", "sqlite:" + file, "--log-level", "error", "-"},
		stdio{users, &syncbuffer.Buffer{}, p.terminal}, unset))
	eventually(t, func() bool { return strings.Contains(p.screen.String(), "] 2 of 2") }, "the bar")
	require.Contains(t, p.screen.String(), "\rhashing passwords [###############...............] 1 of 2")
}
