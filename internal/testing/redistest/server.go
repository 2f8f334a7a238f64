//go:build unix

// Package redistest provides tests with Redis or Valkey servers. It starts
// single servers, clusters and Sentinels on free ports of the loopback
// interface, in temporary directories, or uses the server that a variable names
// (see [Env]).
package redistest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/onezone-go/onezone/internal/testing/freeport"
)

// patience is the timeout for a server to start or to reach a state.
const patience = 20 * time.Second

// attempts is the number of ports on which a start is tried, because another
// process may take a port that was free.
const attempts = 5

// Server is a running redis-server.
type Server struct {
	Addr    string
	Dir     string // directory of its files
	BusPort string // of a node of a cluster

	args  []string
	alive io.Closer // closing it stops the guard, which stops the server
	guard *exec.Cmd
	pid   int // of the server
}

// loopback is the default address of servers.
const loopback = "127.0.0.1"

var errNoBinaries = errors.New("neither redis-server nor valkey-server is in the PATH")

// program returns the path of the server or of another of its programs, such as
// "cli".
func program(kind string) (string, error) {
	for _, family := range []string{"redis-", "valkey-"} {
		if path, err := exec.LookPath(family + kind); err == nil {
			return path, nil
		}
	}
	return "", errNoBinaries
}

// Start starts a server in an otherwise unused directory. The arguments are
// appended to those for its address.
func Start(dir string, args ...string) (*Server, error) { return StartAt(loopback, dir, args...) }

// StartAt is like [Start] for a server that listens on another address of this
// host and accepts connections from everywhere.
func StartAt(host, dir string, args ...string) (*Server, error) {
	return start(host, dir, func(port string) ([]string, error) {
		return append(listenAt(host, port, dir), args...), nil
	})
}

// StartSentinelAt starts a Sentinel that listens on an address of this host.
// The configuration is appended to the lines for its address.
func StartSentinelAt(host, dir, config string) (*Server, error) {
	return start(host, dir, func(port string) ([]string, error) {
		file := filepath.Join(dir, "sentinel.conf")
		lines := fmt.Sprintf("port %s\nbind %s\nprotected-mode no\ndir %s\n%s", port, host, dir, config)
		return []string{file, "--sentinel"}, os.WriteFile(file, []byte(lines), 0o600)
	})
}

func listenAt(host, port, dir string) []string {
	return []string{"--port", port, "--bind", host, "--protected-mode", "no", "--dir", dir, "--save", ""}
}

// start starts a server with the arguments that argsFor returns for a port.
func start(host, dir string, argsFor func(port string) ([]string, error)) (s *Server, err error) {
	for range attempts {
		var port string
		if port, err = freeport.Find(); err != nil {
			return nil, err
		}
		s = &Server{Addr: net.JoinHostPort(host, port), Dir: dir}
		if s.args, err = argsFor(port); err != nil {
			return nil, err
		}
		if err = s.Restart(); err == nil || !errors.Is(err, errEnded) {
			return s, err
		}
	}
	return nil, err
}

// Restart starts a killed server again, on the same port and in the same
// directory. It returns when the server answers.
func (s *Server) Restart() error {
	if err := s.startGuarded(); err != nil {
		return err
	}
	if err := until(s.isUp); err != nil {
		s.Kill()
		said, _ := os.ReadFile(filepath.Join(s.Dir, "log"))
		return fmt.Errorf("the server does not answer: %w\n%s", err, said)
	}
	return nil
}

// startGuarded starts the server under a guard process that kills it when this
// process ends for any reason.
func (s *Server) startGuarded() error {
	const script = `"$@" </dev/null >>log 2>&1 & echo $!; cat; kill -KILL $!; wait`
	server, err := program("server")
	if err != nil {
		return err
	}
	s.guard = exec.Command("/bin/sh", append([]string{"-c", script, "guard", server}, s.args...)...)
	s.guard.Dir = s.Dir
	alive, err := s.guard.StdinPipe()
	if err != nil {
		return err
	}
	out, err := s.guard.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.guard.Start(); err != nil {
		return err
	}
	s.alive = alive
	_, err = fmt.Fscan(out, &s.pid)
	return err
}

// errEnded stops the wait for a server, which may have found its port in use.
var errEnded = errors.New("the server has ended")

// isUp returns an error if the server does not answer on its port.
func (s *Server) isUp() error {
	info, err := s.Do("INFO", "server")
	switch {
	case errors.Is(syscall.Kill(s.pid, 0), syscall.ESRCH):
		return errEnded
	case err == nil && !strings.Contains(info, fmt.Sprintf("process_id:%d\r", s.pid)):
		return errors.New("another server answers")
	case err == nil:
		_, err = s.Do("PING") // rejected while it loads its data
	}
	return err
}

// Freeze suspends the server. Its sockets stay open, and the kernel continues to
// accept connections and data.
func (s *Server) Freeze() error { return syscall.Kill(s.pid, syscall.SIGSTOP) }

// Thaw resumes a frozen server.
func (s *Server) Thaw() error { return syscall.Kill(s.pid, syscall.SIGCONT) }

// Kill kills the server with SIGKILL, like a crash, if it is running.
func (s *Server) Kill() {
	if s.alive != nil {
		_ = s.alive.Close()
		_ = s.guard.Wait()
	}
	s.alive = nil
}

// until calls try until it succeeds, and returns its last error after a timeout
// or if retrying cannot help.
func until(try func() error) error {
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if err = try(); err == nil || errors.Is(err, errEnded) {
			return err
		}
		<-time.After(5 * time.Millisecond)
	}
	return err
}
