//go:build unix

package pgtest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/onezone-go/onezone/internal/testing/freeport"
)

// Bouncer is a PgBouncer in a temporary directory, on a free port.
type Bouncer struct {
	URL string

	host, port, mode string
	server           *Server   // whose user it runs as
	dir              string    // in the directory of the server
	alive            io.Closer // closing it stops the guard, which stops the pooler
	guard            *exec.Cmd
	pid              int
}

// Bouncer starts a PgBouncer in front of the server and returns its URL. mode
// is the pooling mode, "session" or "transaction". Without an installed
// PgBouncer the test is skipped, or fails if CI is set.
func (s *Server) Bouncer(tb testing.TB, mode string) string {
	tb.Helper()
	b, err := s.BouncerAt(loopback, mode)
	switch {
	case errors.Is(err, exec.ErrNotFound) && os.Getenv("CI") == "":
		tb.Skipf("no PgBouncer to test with: %v", err)
	case err != nil:
		tb.Fatalf("start PgBouncer: %v", err)
	}
	tb.Cleanup(b.Close)
	return b.URL
}

// BouncerAt is like [Server.Bouncer] for a pooler that listens on another
// address of this host. The caller closes it.
func (s *Server) BouncerAt(host, mode string) (*Bouncer, error) {
	path, err := exec.LookPath("pgbouncer")
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/pgbouncer")
	}
	if errors.Is(err, os.ErrNotExist) {
		err = exec.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	port, err := freeport.Find()
	if err != nil {
		return nil, err
	}
	b := &Bouncer{
		URL:  "postgres://postgres@" + net.JoinHostPort(host, port) + "/postgres?sslmode=disable",
		host: host, port: port, mode: mode, server: s, dir: s.dir,
	}
	if err := b.start(path); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

func (b *Bouncer) file(name string) string { return filepath.Join(b.dir, "pgbouncer."+b.port+"."+name) }

// start starts the pooler under a guard process that kills it when this process
// ends for any reason.
func (b *Bouncer) start(path string) error {
	if err := os.WriteFile(b.file("users"), []byte(`"postgres" ""`+"\n"), 0o644); err != nil {
		return err
	}
	if err := b.configure(b.server); err != nil {
		return err
	}
	const script = `"$@" </dev/null >/dev/null 2>&1 & echo $!; cat; kill -KILL $!; wait`
	b.guard = b.server.command("/bin/sh", "-c", script, "guard", path, "-q", b.file("ini"))
	b.guard.SysProcAttr.Setpgid = true // so that signals to this process do not reach it
	alive, err := b.guard.StdinPipe()
	if err != nil {
		return err
	}
	out, err := b.guard.StdoutPipe()
	if err != nil {
		return err
	}
	if err := b.guard.Start(); err != nil {
		return err
	}
	b.alive = alive
	if _, err := fmt.Fscan(out, &b.pid); err != nil {
		return err
	}
	for deadline := time.Now().Add(30 * time.Second); ; <-time.After(5 * time.Millisecond) {
		conn, err := net.Dial("tcp", net.JoinHostPort(b.host, b.port))
		if err == nil {
			return conn.Close()
		}
		if time.Now().After(deadline) {
			return err
		}
	}
}

// configure writes the configuration for a server behind the pooler.
func (b *Bouncer) configure(behind *Server) error {
	at, err := url.Parse(behind.URL)
	if err != nil {
		return err
	}
	text := fmt.Sprintf(`[databases]
postgres = host=%s port=%s
[pgbouncer]
listen_addr = %s
listen_port = %s
unix_socket_dir =
auth_type = trust
auth_file = %s
pool_mode = %s
max_client_conn = 300
default_pool_size = 100
server_login_retry = 1
ignore_startup_parameters = extra_float_digits
`, at.Hostname(), at.Port(), b.host, b.port, b.file("users"), b.mode)
	return os.WriteFile(b.file("ini"), []byte(text), 0o644)
}

// SwitchTo makes the pooler use another server. Calls in flight at the former
// one keep waiting for it.
func (b *Bouncer) SwitchTo(s *Server) error {
	if err := b.configure(s); err != nil {
		return err
	}
	return syscall.Kill(b.pid, syscall.SIGHUP)
}

// Close kills the pooler.
func (b *Bouncer) Close() {
	if b.alive != nil {
		_ = b.alive.Close()
		_ = b.guard.Wait()
	}
	b.alive = nil
}
