package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// database is a server of the test's own, which keeps its port and its data when
// it is started again.
type database struct {
	t       *testing.T
	url     string
	command func() *exec.Cmd
	answers func() error
	running *exec.Cmd
	log     buffer
}

func (d *database) start() {
	d.t.Helper()
	d.running = d.command()
	d.running.Stdout, d.running.Stderr = &d.log, &d.log
	require.NoError(d.t, d.running.Start())
	eventually(d.t, func() bool { return d.answers() == nil }, "the database answers")
}

// stop ends the server as a crash would.
func (d *database) stop() {
	if d.running != nil {
		_ = d.running.Process.Signal(syscall.SIGQUIT) // PostgreSQL takes its children along, without a checkpoint
		_ = d.running.Wait()
	}
	d.running = nil
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

func newRedis(t *testing.T) *database {
	t.Helper()
	program, dir, port := need(t, "redis-server"), t.TempDir(), freePort(t)
	d := &database{t: t, url: "redis://127.0.0.1:" + port}
	d.command = func() *exec.Cmd {
		return exec.Command(program, "--port", port, "--bind", "127.0.0.1", "--dir", dir, "--appendonly", "yes", "--appendfsync", "always")
	}
	d.answers = func() error {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err != nil {
			return err
		}
		defer conn.Close()
		reply := make([]byte, 7)
		if _, err = fmt.Fprint(conn, "PING\r\n"); err == nil {
			_, err = conn.Read(reply)
		}
		if err == nil && !bytes.HasPrefix(reply, []byte("+PONG")) {
			err = fmt.Errorf("it says %q", reply)
		}
		return err
	}
	t.Cleanup(d.stop)
	d.start()
	return d
}

func newPostgres(t *testing.T) *database {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	require.NoError(t, err)
	if len(found) == 0 {
		missing(t, "there is no PostgreSQL in /usr/lib/postgresql")
	}
	bin := found[len(found)-1]
	dir, err := os.MkdirTemp("", "onezone-postgres-") // t.TempDir is for this user alone
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	account := &syscall.SysProcAttr{}
	if os.Getuid() == 0 { // as whom it does not run
		postgres, err := user.Lookup("postgres")
		require.NoError(t, err)
		uid, err := strconv.Atoi(postgres.Uid)
		require.NoError(t, err)
		gid, err := strconv.Atoi(postgres.Gid)
		require.NoError(t, err)
		require.NoError(t, os.Chown(dir, uid, gid))
		account.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	command := func(program string, args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(bin, program), args...)
		cmd.Dir, cmd.SysProcAttr = dir, account
		return cmd
	}
	data, port := filepath.Join(dir, "data"), freePort(t)
	out, err := command("initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync").CombinedOutput()
	require.NoError(t, err, string(out))
	d := &database{t: t, url: "postgres://postgres@127.0.0.1:" + port + "/postgres?sslmode=disable"}
	d.command = func() *exec.Cmd { return command("postgres", "-D", data, "-p", port, "-k", dir, "-h", "127.0.0.1") }
	d.answers = func() error { return command("pg_isready", "-h", "127.0.0.1", "-p", port).Run() }
	t.Cleanup(d.stop)
	d.start()
	return d
}

func TestAStoreThatIsDownIsServiceUnavailableAndComesBackByItself(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*testing.T) *database{"postgres": newPostgres, "redis": newRedis} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t)
			s := start(t, t.TempDir(), "-store", d.url, "-store-timeout", "1s")
			id, token := s.newToken("laptop")
			require.Equal(t, 200, s.verify(token, "127.0.0.1").status)
			require.Equal(t, 200, s.get("GET", "/readyz", "").status)

			d.stop()
			unavailable := func(a answer) bool {
				return a.status == 503 && bytes.Contains([]byte(a.body), []byte(`"serviceUnavailable"`))
			}
			// Answers out of memory end after the short time that they may be old.
			eventually(t, func() bool { return unavailable(s.verify(token, "127.0.0.1")) }, "verifications are unavailable")
			for about, a := range map[string]answer{
				"readiness": s.get("GET", "/readyz", ""),
				"a read":    s.do("GET", "/tokens/named/"+id, "", "X-Auth-Token", token),
				"a write":   s.do("POST", "/user/tokens/named", `{"name": "another"}`, "X-Auth-Token", token),
				"a log-in":  s.do("GET", "/user/client_tokens", "", "Authorization", basic("demo", s.password)),
				"a forgery": s.verify(s.token, "127.0.0.1"),
			} {
				require.True(t, unavailable(a), "%s is answered with %d %s", about, a.status, a.body)
				require.NotContains(t, a.body, "127.0.0.1", "nothing of the environment shows")
			}
			require.Equal(t, 200, s.get("GET", "/healthz", "").status, "the process itself is well")

			d.start()
			eventually(t, func() bool { return s.verify(token, "127.0.0.1").status == 200 }, "verifications are back")
			eventually(t, func() bool { return s.get("GET", "/readyz", "").status == 200 }, "the service is ready")
			require.Equal(t, 201, s.do("POST", "/user/tokens/named", `{"name": "another"}`, "X-Auth-Token", token).status)
			s.stop()
		})
	}
}
