//go:build unix

// Package pgtest provides tests with PostgreSQL servers. It starts them from
// installed binaries, or uses the server that a variable names (see [Env]).
package pgtest

import (
	"bytes"
	"fmt"
	"io"
	"net"
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

// loopback is the default address of servers.
const loopback = "127.0.0.1"

// Server is a PostgreSQL server in a temporary directory, on a free port.
type Server struct {
	URL string

	bin, dir, options string
	host              string // address to listen on
	settings          []string
	credential        *syscall.Credential // user of the server; nil: that of this process
	alive             io.Closer           // closing it stops the guard, which stops the server
	guard             *exec.Cmd
}

// errNoBinaries is the error of a machine without PostgreSQL.
var errNoBinaries = errors.New("there is no initdb in the PATH or in /usr/lib/postgresql/*/bin")

// New creates a database cluster and starts its server. The default collation
// does not compare bytes. The settings are options of postgres -c.
func New(settings ...string) (*Server, error) { return NewAt(loopback, settings...) }

// NewAt is like [New] for a server that listens on another address of this host
// and accepts connections from everywhere.
func NewAt(host string, settings ...string) (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "onezone-postgres-")
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, dir: dir, host: host}
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
	if s.host != loopback {
		if err := s.appendTo("pg_hba.conf", "host all,replication all all trust"); err != nil {
			return err
		}
	}
	port, err := freeport.Find()
	if err != nil {
		return err
	}
	s.listenOn(port, settings)
	return s.Start()
}

// appendTo appends lines to a configuration file of the server.
func (s *Server) appendTo(file string, lines ...string) error {
	f, err := os.OpenFile(filepath.Join(s.data(), file), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	for _, line := range lines {
		if _, err = fmt.Fprintln(f, line); err != nil {
			break
		}
	}
	return errors.Join(err, f.Close())
}

// Set changes a setting of the running server that needs no restart.
func (s *Server) Set(name, value string) error {
	if err := s.appendTo("postgresql.auto.conf", fmt.Sprintf("%s = '%s'", name, value)); err != nil {
		return err
	}
	return s.run("pg_ctl", "reload", "-D", s.data())
}

// listenOn sets the arguments with which the server starts.
func (s *Server) listenOn(port string, settings []string) {
	s.settings = settings
	// No Unix socket, whose path may be too long.
	s.options = fmt.Sprintf("-p %s -k '' -h %s -c max_connections=400", port, s.host)
	for _, setting := range settings {
		s.options += " -c " + setting
	}
	s.URL = "postgres://postgres@" + net.JoinHostPort(s.host, port) + "/postgres?sslmode=disable"
}

// dropPrivileges makes the server run as another user if this process runs as
// root, because PostgreSQL refuses to run as root.
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

// log returns the end of the server's log.
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

// Stop stops the server. The mode "fast" is an orderly shutdown, and
// "immediate" is like a crash.
func (s *Server) Stop(mode string) error {
	return s.run("pg_ctl", "stop", "-w", "-D", s.data(), "-m", mode)
}

// startGuard starts a process that waits until this one ends for any reason,
// and then stops the server and removes its files.
func (s *Server) startGuard() error {
	// A frozen server is resumed first, because it could not stop.
	const script = `cat; kill -CONT "$(head -n 1 "$2/data/postmaster.pid")" 2>/dev/null; "$1/pg_ctl" stop -s -w -D "$2/data" -m immediate; rm -rf "$2"`
	s.guard = s.command("/bin/sh", "-c", script, "guard", s.bin, s.dir)
	s.guard.SysProcAttr.Setpgid = true // so that signals to this process do not reach it
	alive, err := s.guard.StdinPipe()
	if err != nil {
		return err
	}
	s.alive = alive
	return s.guard.Start()
}

// Close stops the server, if it is running, and removes its files.
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
	// Output goes to files, because a server that pg_ctl starts would keep a
	// pipe open.
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

// binaries returns the directory of the server's programs: that of initdb in
// the PATH, or Debian's directory for the latest version.
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

// Env is the environment variable with the URL of a server to test with. The
// URL must be that of a superuser.
const Env = "ONEZONE_TEST_POSTGRES"

var shared struct {
	once   sync.Once
	server *Server
	err    error
}

// URL returns the URL of a server that all tests of the process share. A server
// started for the tests does not wait for the disk. Without PostgreSQL the test
// is skipped, or fails if CI is set.
func URL(tb testing.TB) string {
	tb.Helper()
	if url := os.Getenv(Env); url != "" {
		return url
	}
	shared.once.Do(func() { shared.server, shared.err = New("fsync=off") })
	require(tb, shared.err)
	return shared.server.URL
}

// Own returns a server for this test alone, which may stop it. Acknowledged
// writes are on the disk, unless the settings change that. If the test fails,
// the server's log is printed.
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
