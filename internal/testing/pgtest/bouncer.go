//go:build unix

package pgtest

import (
	"fmt"
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

// Bouncer starts a PgBouncer in front of the server and returns its URL. mode
// is the pooling mode, "session" or "transaction". Without an installed
// PgBouncer the test is skipped, or fails if CI is set.
func (s *Server) Bouncer(tb testing.TB, mode string) string {
	tb.Helper()
	path, err := exec.LookPath("pgbouncer")
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/pgbouncer")
	}
	switch {
	case err != nil && os.Getenv("CI") == "":
		tb.Skipf("no PgBouncer to test with: %v", err)
	case err != nil:
		tb.Fatalf("start PgBouncer: %v", err)
	}
	port, err := freeport.Find()
	require(tb, err)
	require(tb, s.startBouncer(tb, path, mode, port))
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%s/postgres?sslmode=disable", port)
}

func (s *Server) startBouncer(tb testing.TB, path, mode, port string) error {
	at, err := url.Parse(s.URL)
	if err != nil {
		return err
	}
	users, config := filepath.Join(s.dir, "users."+port), filepath.Join(s.dir, "pgbouncer."+port)
	if err := os.WriteFile(users, []byte(`"postgres" ""`+"\n"), 0o644); err != nil {
		return err
	}
	text := fmt.Sprintf(`[databases]
postgres = host=%s port=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %s
unix_socket_dir =
auth_type = trust
auth_file = %s
pool_mode = %s
max_client_conn = 300
default_pool_size = 100
ignore_startup_parameters = extra_float_digits
`, at.Hostname(), at.Port(), port, users, mode)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return err
	}
	bouncer := s.command(path, "-q", config)
	bouncer.SysProcAttr.Setpgid = true
	if err := bouncer.Start(); err != nil {
		return err
	}
	tb.Cleanup(func() {
		_ = bouncer.Process.Signal(syscall.SIGKILL)
		_ = bouncer.Wait()
	})
	address := net.JoinHostPort("127.0.0.1", port)
	for deadline := time.Now().Add(30 * time.Second); ; <-time.After(5 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			return conn.Close()
		}
		if time.Now().After(deadline) {
			return err
		}
	}
}
