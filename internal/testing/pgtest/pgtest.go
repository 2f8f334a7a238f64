//go:build unix

// Package pgtest gives tests a PostgreSQL server: one of their own, made from the
// machine's binaries, or the one that the environment names.
package pgtest

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/freeport"
)

// Server is a PostgreSQL server in a temporary directory, on a free port of the
// loopback interface.
type Server struct {
	URL string

	bin, dir, options string
	settings          []string
	credential        *syscall.Credential // nil: that of this process
	alive             io.Closer           // ends the guard, and with it the server
	guard             *exec.Cmd
}

// errNoBinaries is why a machine cannot run a server.
var errNoBinaries = errors.New("there is no initdb in the PATH or in /usr/lib/postgresql/*/bin")

// New makes a database cluster and starts its server. Its own collation is not
// that of bytes. The settings are those of postgres -c.
func New(settings ...string) (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "onezone-postgres-")
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, dir: dir}
	if err := s.prepare(settings); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) prepare(settings []string) error {
	if err := s.dropPrivileges(); err != nil {
		return err
	}
	if err := s.startGuard(); err != nil {
		return err
	}
	err := s.run("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync",
		"--locale", "C", "--locale-provider", "icu", "--icu-locale", "en")
	if err != nil {
		return err
	}
	port, err := freeport.Find()
	if err != nil {
		return err
	}
	s.listenOn(port, settings)
	return s.Start()
}

// listenOn sets how the server starts.
func (s *Server) listenOn(port string, settings []string) {
	s.settings = settings
	// No socket in the file system, where a path may be too long for it.
	s.options = fmt.Sprintf("-p %s -k '' -h 127.0.0.1 -c max_connections=400", port)
	for _, setting := range settings {
		s.options += " -c " + setting
	}
	s.URL = fmt.Sprintf("postgres://postgres@127.0.0.1:%s/postgres?sslmode=disable", port)
}

// dropPrivileges has the server run as somebody else where this process is
// root's, which the server refuses.
func (s *Server) dropPrivileges() error {
	if os.Getuid() != 0 {
		return nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		if account, err = user.Lookup("nobody"); err != nil {
			return err
		}
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return err
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return err
	}
	s.credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return os.Chown(s.dir, int(uid), int(gid))
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// Start starts the server and waits until it answers.
func (s *Server) Start() error {
	return s.run("pg_ctl", "start", "-w", "-D", s.data(), "-l", s.logFile(), "-o", s.options)
}

func (s *Server) logFile() string { return filepath.Join(s.dir, "log") }

// log returns the end of what the server logged.
func (s *Server) log() []byte {
	const most = 1 << 14
	log, err := os.ReadFile(s.logFile())
	if err != nil {
		return []byte(err.Error())
	}
	return log[max(0, len(log)-most):]
}

// Dir returns the directory of the server's files.
func (s *Server) Dir() string { return s.dir }

// Stop stops the server: "fast" properly, "immediate" as a crash does.
func (s *Server) Stop(mode string) error {
	return s.run("pg_ctl", "stop", "-w", "-D", s.data(), "-m", mode)
}

// startGuard starts a process that waits for the end of this one, however it
// comes, and then stops the server and removes its files.
func (s *Server) startGuard() error {
	// One that is frozen is woken first: it would not stop.
	const script = `cat; kill -CONT "$(head -n 1 "$2/data/postmaster.pid")" 2>/dev/null; "$1/pg_ctl" stop -s -w -D "$2/data" -m immediate; rm -rf "$2"`
	s.guard = s.command("/bin/sh", "-c", script, "guard", s.bin, s.dir)
	s.guard.SysProcAttr.Setpgid = true // out of reach of the signals that end this process
	alive, err := s.guard.StdinPipe()
	if err != nil {
		return err
	}
	s.alive = alive
	return s.guard.Start()
}

// Close stops the server, if it runs, and removes its files.
func (s *Server) Close() error {
	if s.alive == nil {
		return os.RemoveAll(s.dir)
	}
	return errors.Join(s.alive.Close(), s.guard.Wait(), os.RemoveAll(s.dir))
}

func (s *Server) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.credential}
	return cmd
}

func (s *Server) run(program string, args ...string) error {
	cmd := s.command(filepath.Join(s.bin, program), args...)
	// To files: a server that pg_ctl leaves behind would keep a pipe open.
	out, err := os.CreateTemp(s.dir, program)
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(out.Name())
		return fmt.Errorf("run %s %s: %w: %s", program, args[0], err, bytes.TrimSpace(said))
	}
	return nil
}

// binaries returns the directory of the server's programs: that of the initdb in
// the PATH, or where Debian keeps those of its latest version.
func binaries() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		path, err = filepath.EvalSymlinks(path)
		return filepath.Dir(path), err
	}
	latest, bin := 0, ""
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	for _, path := range found {
		dir := filepath.Dir(path)
		if version, err := strconv.Atoi(filepath.Base(filepath.Dir(dir))); err == nil && version > latest {
			latest, bin = version, dir
		}
	}
	if bin == "" {
		return "", errNoBinaries
	}
	return bin, nil
}

// Env names the server to test with, in place of one made from binaries, by the
// URL of a superuser.
const Env = "ONEZONE_TEST_POSTGRES"

var shared struct {
	once   sync.Once
	server *Server
	err    error
}

// URL returns the address of a server that the tests of the process share, which
// does not wait for disks where it is made for them. It skips the test where
// there is none, unless the environment has CI set.
func URL(tb testing.TB) string {
	tb.Helper()
	if url := os.Getenv(Env); url != "" {
		return url
	}
	shared.once.Do(func() { shared.server, shared.err = New("fsync=off") })
	require(tb, shared.err)
	return shared.server.URL
}

// Own returns a server that belongs to the test, which may stop it. What it says
// to be written is on the disk, unless the settings are others. If the test
// fails, it says what the server logged.
func Own(tb testing.TB, settings ...string) *Server {
	tb.Helper()
	s, err := New(settings...)
	require(tb, err)
	s.closeWith(tb)
	return s
}

// closeWith closes the server at the end of the test.
func (s *Server) closeWith(tb testing.TB) {
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("the server's log:\n%s", s.log())
		}
		if err := s.Close(); err != nil {
			tb.Errorf("close the server: %v", err)
		}
	})
}

func require(tb testing.TB, err error) {
	tb.Helper()
	switch {
	case errors.Is(err, errNoBinaries) && os.Getenv("CI") == "":
		tb.Skipf("no PostgreSQL to test with: %v, and %s is not set", err, Env)
	case err != nil:
		tb.Fatalf("start PostgreSQL: %v", err)
	}
}

// Main runs the tests and stops the shared server.
func Main(m *testing.M) int {
	code := m.Run()
	if shared.server != nil {
		if err := shared.server.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "close the server:", err)
			return 1
		}
	}
	return code
}
