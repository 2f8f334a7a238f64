//go:build unix

package pgtest

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/freeport"
)

// Standby returns a hot standby of the server, with streaming replication. It
// belongs to the test like a server of [Own].
func (s *Server) Standby(tb testing.TB) *Server {
	tb.Helper()
	standby, err := s.StandbyAt(loopback)
	require(tb, err)
	standby.closeWith(tb)
	return standby
}

// StandbyAt is like [Server.Standby] for a standby that listens on another
// address of this host. The caller closes it.
func (s *Server) StandbyAt(host string) (*Server, error) {
	dir, err := os.MkdirTemp("", "onezone-postgres-")
	if err != nil {
		return nil, err
	}
	standby := &Server{bin: s.bin, dir: dir, host: host}
	if err := standby.prepareStandby(s); err != nil {
		return nil, errors.Join(err, standby.Close())
	}
	return standby, nil
}

func (s *Server) prepareStandby(primary *Server) error {
	if err := s.dropPrivileges(); err != nil {
		return err
	}
	if err := s.startGuard(); err != nil {
		return err
	}
	port, err := freeport.Find()
	if err != nil {
		return err
	}
	s.listenOn(port, primary.settings)
	return s.follow(primary)
}

// follow copies the data of the primary and starts as its standby.
func (s *Server) follow(primary *Server) error {
	err := s.run("pg_basebackup", "-D", s.data(), "-d", primary.URL, "-R", "-X", "stream", "-c", "fast", "--no-sync")
	if err != nil {
		return err
	}
	return s.Start()
}

// Rejoin makes a server that may be running the standby of another one. It
// loses its own data.
func (s *Server) Rejoin(primary *Server) error {
	_ = s.Stop("immediate") // fails if it is not running
	if err := os.RemoveAll(s.data()); err != nil {
		return err
	}
	return s.follow(primary)
}

// PauseReplay makes a standby ignore later changes of its primary.
func (s *Server) PauseReplay() error {
	return s.run("psql", "-c", "SELECT pg_wal_replay_pause()", s.URL)
}

// Promote promotes a standby to primary.
func (s *Server) Promote() error { return s.run("pg_ctl", "promote", "-w", "-D", s.data()) }

// Kill kills all processes of the server, like a crash of its machine that
// spares the disk.
func (s *Server) Kill() error {
	if err := s.signal(syscall.SIGKILL); err != nil {
		return err
	}
	for s.run("pg_ctl", "status", "-D", s.data()) == nil {
		<-time.After(time.Millisecond)
	}
	return nil
}

// Freeze suspends all processes of the server. Its sockets stay open, and the
// kernel continues to accept connections and data.
func (s *Server) Freeze() error { return s.signal(syscall.SIGSTOP) }

// Thaw resumes a frozen server.
func (s *Server) Thaw() error { return s.signal(syscall.SIGCONT) }

// signal sends the signal to the postmaster's children, and then to the
// postmaster. It stops the postmaster first, so that it starts no children.
func (s *Server) signal(signal syscall.Signal) error {
	lines, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	if err != nil {
		return err
	}
	first, _, _ := bytes.Cut(lines, []byte("\n"))
	postmaster, err := strconv.Atoi(string(first))
	if err != nil {
		return fmt.Errorf("read the postmaster's process id: %w", err)
	}
	if err := syscall.Kill(postmaster, syscall.SIGSTOP); err != nil {
		return err
	}
	all, err := exec.Command("ps", "-A", "-o", "pid=,ppid=").Output()
	if err != nil {
		return fmt.Errorf("list the server's processes: %w", err)
	}
	for line := range strings.Lines(string(all)) {
		var pid, parent int
		if _, err := fmt.Sscan(line, &pid, &parent); err != nil {
			return fmt.Errorf("read the list of processes: %w", err)
		}
		if parent == postmaster {
			_ = syscall.Kill(pid, signal) // it may have ended
		}
	}
	return syscall.Kill(postmaster, signal)
}

// Hosts returns a URL that lists several servers.
func Hosts(tb testing.TB, servers ...*Server) string {
	tb.Helper()
	all, err := URLOf(servers...)
	require(tb, err)
	return all
}

// URLOf is like [Hosts] outside of tests.
func URLOf(servers ...*Server) (string, error) {
	var hosts []string
	for _, s := range servers {
		at, err := url.Parse(s.URL)
		if err != nil {
			return "", err
		}
		hosts = append(hosts, at.Host)
	}
	return fmt.Sprintf("postgres://postgres@%s/postgres?sslmode=disable", strings.Join(hosts, ",")), nil
}
