//go:build unix

// Package redistest gives tests Redis or Valkey servers, alone, as a cluster or
// under a Sentinel, on free ports of the loopback interface and in temporary
// directories, or the server that the environment names.
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

// patience is how long a server may take to do what it is waited for.
const patience = 20 * time.Second

// attempts is on how many ports a start is tried: another process may take one
// that was free.
const attempts = 5

// Server is a redis-server of one's own.
type Server struct {
	Addr string
	Dir  string // where it keeps its files

	args    []string
	busPort string    // of a node of a cluster
	alive   io.Closer // ends the guard, and with it the server
	guard   *exec.Cmd
	pid     int // of the server
}

var errNoBinaries = errors.New("neither redis-server nor valkey-server is in the PATH")

// program returns the path of the server, or of another program of its family,
// such as "cli".
func program(kind string) (string, error) {
	for _, family := range []string{"redis-", "valkey-"} {
		if path, err := exec.LookPath(family + kind); err == nil {
			return path, nil
		}
	}
	return "", errNoBinaries
}

// Start starts a server that has the directory to itself. The arguments go to
// the program, after those that make it listen.
func Start(dir string, args ...string) (*Server, error) {
	return start(dir, func(port string) ([]string, error) {
		return append(listenAt(port, dir), args...), nil
	})
}

// StartSentinel starts a Sentinel with the configuration, after the lines that
// make it listen.
func StartSentinel(dir, config string) (*Server, error) {
	return start(dir, func(port string) ([]string, error) {
		file := filepath.Join(dir, "sentinel.conf")
		lines := fmt.Sprintf("port %s\nbind 127.0.0.1\ndir %s\n%s", port, dir, config)
		return []string{file, "--sentinel"}, os.WriteFile(file, []byte(lines), 0o600)
	})
}

func listenAt(port, dir string) []string {
	return []string{"--port", port, "--bind", "127.0.0.1", "--dir", dir, "--save", ""}
}

// start starts a server with the arguments that argsFor gives for a port.
func start(dir string, argsFor func(port string) ([]string, error)) (s *Server, err error) {
	for range attempts {
		var port string
		if port, err = freeport.Find(); err != nil {
			return nil, err
		}
		s = &Server{Addr: net.JoinHostPort("127.0.0.1", port), Dir: dir}
		if s.args, err = argsFor(port); err != nil {
			return nil, err
		}
		if err = s.Restart(); err == nil || !errors.Is(err, errEnded) {
			return s, err
		}
	}
	return nil, err
}

// Restart starts the server that was killed, on the same port and directory, and
// returns when it answers.
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

// startGuarded starts the server below a process that kills it at the end of this
// one, however that comes.
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

// errEnded is final: the server may have found its port in use.
var errEnded = errors.New("the server has ended")

// isUp reports why the server does not answer on its port.
func (s *Server) isUp() error {
	info, err := s.Do("INFO", "server")
	switch {
	case errors.Is(syscall.Kill(s.pid, 0), syscall.ESRCH):
		return errEnded
	case err == nil && !strings.Contains(info, fmt.Sprintf("process_id:%d\r", s.pid)):
		return errors.New("another server answers")
	case err == nil:
		_, err = s.Do("PING") // refused while it reads its files
	}
	return err
}

// Kill ends the server as a crash would, with SIGKILL, if it runs.
func (s *Server) Kill() {
	if s.alive != nil {
		_ = s.alive.Close()
		_ = s.guard.Wait()
	}
	s.alive = nil
}

// until calls try until it succeeds, and returns its last error when it does not
// in good time, or does not matter how often it is tried.
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
