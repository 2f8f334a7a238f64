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

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/freeport"
)

// Standby returns a hot standby of the server, with streaming replication. It
// belongs to the test like a server of [Own].
func (s *Server) Standby(tb testing.TB) *Server {
	tb.Helper()
	dir, err := os.MkdirTemp("", "onezone-postgres-")
	require(tb, err)
	standby := &Server{bin: s.bin, dir: dir}
	err = standby.follow(s)
	if err != nil {
		err = errors.Join(err, standby.Close())
	}
	require(tb, err)
	standby.closeWith(tb)
	return standby
}

func (s *Server) follow(primary *Server) error {
	if err := s.dropPrivileges(); err != nil {
		return err
	}
	if err := s.startGuard(); err != nil {
		return err
	}
	err := s.run("pg_basebackup", "-D", s.data(), "-d", primary.URL, "-R", "-X", "stream", "-c", "fast", "--no-sync")
	if err != nil {
		return err
	}
	port, err := freeport.Find()
	if err != nil {
		return err
	}
	s.listenOn(port, primary.settings)
	return s.Start()
}

// Promote promotes a standby to primary.
func (s *Server) Promote() error { return s.run("pg_ctl", "promote", "-w", "-D", s.data()) }

// Freeze suspends all processes of the server. Its sockets stay open, and the
// kernel continues to accept connections and data.
func (s *Server) Freeze() error { return s.signal(syscall.SIGSTOP) }

// Thaw resumes a frozen server.
func (s *Server) Thaw() error { return s.signal(syscall.SIGCONT) }

// signal sends the signal to the postmaster, and then to its children.
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
	if err := syscall.Kill(postmaster, signal); err != nil {
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
	return nil
}

// Hosts returns a URL that lists several servers.
func Hosts(tb testing.TB, servers ...*Server) string {
	tb.Helper()
	var hosts []string
	for _, s := range servers {
		at, err := url.Parse(s.URL)
		require(tb, err)
		hosts = append(hosts, at.Host)
	}
	return fmt.Sprintf("postgres://postgres@%s/postgres?sslmode=disable", strings.Join(hosts, ","))
}
