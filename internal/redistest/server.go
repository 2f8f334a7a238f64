// Package redistest gives tests Redis servers, on free ports of the loopback
// interface and in temporary directories, or the one that the environment names.
package redistest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// patience is how long a server may take to do what it is waited for.
const patience = 20 * time.Second

// Server is a redis-server of one's own.
type Server struct {
	Addr string
	Dir  string // where it keeps its files

	args  []string
	alive io.Closer // ends the guard, and with it the server
	guard *exec.Cmd
}

// Program returns the path of redis-server, or of valkey-server.
func Program() (string, error) {
	for _, name := range []string{"redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("neither redis-server nor valkey-server is in the PATH")
}

// Start starts a server that has the directory to itself. The arguments go to
// the program, after those that make it listen.
func Start(dir string, args ...string) (*Server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &Server{Addr: net.JoinHostPort("127.0.0.1", port), Dir: dir}
	s.args = append([]string{"--port", port, "--bind", "127.0.0.1", "--dir", dir, "--save", ""}, args...)
	return s, s.Restart()
}

// Restart starts the server that was killed, on the same port and directory, and
// returns when it answers.
func (s *Server) Restart() error {
	program, err := Program()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(s.Dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	if err := s.startGuarded(program, log); err != nil {
		return err
	}
	if err := until(func() error { _, err := s.Do("PING"); return err }); err != nil {
		s.Kill()
		said, _ := os.ReadFile(filepath.Join(s.Dir, "log"))
		return fmt.Errorf("the server does not answer: %w\n%s", err, said)
	}
	return nil
}

// startGuarded starts the server below a process that kills it at the end of this
// one, however that comes.
func (s *Server) startGuarded(program string, log *os.File) error {
	const script = `"$@" </dev/null & cat; kill -KILL $!; wait`
	s.guard = exec.Command("/bin/sh", append([]string{"-c", script, "guard", program}, s.args...)...)
	s.guard.Stdout, s.guard.Stderr = log, log
	alive, err := s.guard.StdinPipe()
	if err != nil {
		return err
	}
	s.alive = alive
	return s.guard.Start()
}

// Kill ends the server as a crash would, with SIGKILL, if it runs.
func (s *Server) Kill() {
	if s.alive != nil {
		_ = s.alive.Close()
		_ = s.guard.Wait()
	}
	s.alive = nil
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}

// until calls try until it succeeds, and returns its last error when it does
// not in good time.
func until(try func() error) error {
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if err = try(); err == nil {
			return nil
		}
		<-time.After(5 * time.Millisecond)
	}
	return err
}
