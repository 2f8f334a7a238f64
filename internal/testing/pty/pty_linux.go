// Package pty gives tests a terminal with a user who types.
package pty

import (
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
)

// Terminal is a pseudo-terminal. The program that is tested reads and writes
// File; Screen is what its user sees.
type Terminal struct {
	File   *os.File
	Screen syncbuffer.Buffer
	user   *os.File
}

// New returns a terminal, which is closed when the test ends.
func New(t *testing.T) *Terminal {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = user.Close() })
	var unlocked, number int32
	control(t, user, syscall.TIOCSPTLCK, unsafe.Pointer(&unlocked))
	control(t, user, syscall.TIOCGPTN, unsafe.Pointer(&number))
	file, err := os.OpenFile(fmt.Sprint("/dev/pts/", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = file.Close() })
	p := &Terminal{File: file, user: user}
	go func() { _, _ = io.Copy(&p.Screen, user) }()
	return p
}

// Answer waits until the screen ends with the prompt, and types the keys.
func (p *Terminal) Answer(t *testing.T, prompt, keys string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.HasSuffix(p.Screen.String(), prompt) }, 10*time.Second, time.Millisecond,
		"the program asks: "+prompt)
	_, err := io.WriteString(p.user, keys)
	require.NoError(t, err)
}

// Echoes reports whether the terminal shows what is typed.
func (p *Terminal) Echoes(t *testing.T) bool {
	var state syscall.Termios
	return control(t, p.File, syscall.TCGETS, unsafe.Pointer(&state)) && state.Lflag&syscall.ECHO != 0
}

// Unseen returns a writer to the terminal that fails the test if the terminal
// shows what is typed when a text appears.
func (p *Terminal) Unseen(t *testing.T) io.Writer { return unseen{p, t} }

type unseen struct {
	p *Terminal
	t *testing.T
}

func (u unseen) Write(b []byte) (int, error) {
	if u.p.Echoes(u.t) {
		u.t.Errorf("%q appears while the terminal shows what is typed", b)
	}
	return u.p.File.Write(b)
}

// control calls ioctl(2).
func control(t *testing.T, file *os.File, request uintptr, argument unsafe.Pointer) (ok bool) {
	_, _, err := syscall.Syscall(syscall.SYS_IOCTL, file.Fd(), request, uintptr(argument))
	return assert.Zero(t, err)
}
