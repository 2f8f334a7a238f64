// Package redistest starts Redis servers for tests, on free ports of the
// loopback interface and in temporary directories.
package redistest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// patience is how long a server may take to do what it is waited for.
const patience = 20 * time.Second

// Server is a redis-server of one's own.
type Server struct {
	Addr string
	args []string
	dir  string
	cmd  *exec.Cmd

	busPort string // of a node of a cluster

	exited <-chan struct{} // closed when the process has ended
}

var errExited = errors.New("the server has exited")

// Program returns the path of redis-server, or of valkey-server.
func Program() (string, error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		path, err = exec.LookPath("valkey-server")
	}
	return path, err
}

// Start starts a server that has the directory to itself. The arguments go to
// the program, after those that make it listen.
func Start(dir string, args ...string) (*Server, error) {
	return start(dir, func(port string) ([]string, error) {
		return append(listenAt(port, dir), args...), nil
	})
}

func listenAt(port, dir string) []string {
	return []string{"--port", port, "--bind", "127.0.0.1", "--dir", dir, "--save", ""}
}

// attempts is on how many ports a start is tried: another process may take one
// that was free.
const attempts = 5

// start starts a server with the arguments that argsFor gives for a port.
func start(dir string, argsFor func(port string) ([]string, error)) (s *Server, err error) {
	for range attempts {
		var port string
		if port, err = freePort(); err != nil {
			return nil, err
		}
		s = &Server{Addr: net.JoinHostPort("127.0.0.1", port), dir: dir}
		if s.args, err = argsFor(port); err != nil {
			return nil, err
		}
		if err = s.Restart(); err == nil {
			return s, nil
		}
	}
	return nil, err
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

// Restart starts the server that was killed, on the same port and directory, and
// returns when it answers.
func (s *Server) Restart() error {
	program, err := Program()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	s.cmd = exec.Command(program, s.args...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	s.exited = exited
	go func() {
		_ = s.cmd.Wait()
		close(exited)
	}()
	if err := until(s.isUp); err != nil {
		s.Kill()
		said, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		return fmt.Errorf("the server does not answer: %w\n%s", err, said)
	}
	return nil
}

// isUp reports why the server does not answer on its port.
func (s *Server) isUp() error {
	select {
	case <-s.exited:
		return errExited
	default:
	}
	info, err := s.Do("INFO", "server")
	if err == nil && !strings.Contains(info, fmt.Sprintf("process_id:%d\r", s.cmd.Process.Pid)) {
		err = errors.New("another server has the port")
	}
	return err
}

// Kill ends the server as a crash would, with SIGKILL.
func (s *Server) Kill() {
	if s.exited != nil {
		_ = s.cmd.Process.Kill()
		<-s.exited
	}
}

// Do has the server execute a command, and returns the text or number that it
// answers.
func (s *Server) Do(command ...string) (string, error) {
	result := s.ask(command...)
	if n, err := result.AsInt64(); err == nil {
		return strconv.FormatInt(n, 10), nil
	}
	return result.ToString()
}

func (s *Server) ask(command ...string) rueidis.RedisResult {
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{s.Addr}, ForceSingleClient: true, DisableCache: true, DisableRetry: true,
	})
	if err != nil {
		return rueidis.NewErrorResult(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return client.Do(ctx, client.B().Arbitrary(command...).Build())
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
		if err = try(); err == nil || errors.Is(err, errExited) {
			return err
		}
		<-time.After(5 * time.Millisecond)
	}
	return err
}
