//go:build e2e

package gate_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/freeport"
	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
)

// patience is how long a test waits for a process.
const patience = 30 * time.Second

// program builds the command of the gate once.
var program = sync.OnceValues(func() (path string, err error) {
	dir, err := os.MkdirTemp("", "gate-")
	if err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-o", dir, ".")
	build.Dir = filepath.Join("..", "..", "..", "macaroon", "cmd", "onezone")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the gate: %w: %s", err, out)
	}
	return filepath.Join(dir, "onezone"), nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := program(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

func eventually(t *testing.T, holds func() bool, what string) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); <-time.After(5 * time.Millisecond) {
		require.False(t, time.Now().After(deadline), "gave up waiting: "+what)
	}
}

// installed returns the path of a program. Without it, the test is skipped, and
// fails in CI.
func installed(t *testing.T, name, debian string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/" + name)
	}
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing: .ci/packages installs the Debian package %s", name, debian)
	}
	if err != nil {
		t.Skipf("%s is missing: .ci/packages installs the Debian package %s", name, debian)
	}
	return path
}

// process is a running program. The end of the test stops it.
type process struct {
	*exec.Cmd
	log  *syncbuffer.Buffer
	done chan struct{} // closed when it has ended
}

func start(t *testing.T, dir, path string, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(path, args...), log: &syncbuffer.Buffer{}, done: make(chan struct{})}
	p.Dir, p.Stdout, p.Stderr = dir, p.log, p.log
	p.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	require.NoError(t, p.Start())
	go func() {
		_ = p.Wait()
		close(p.done)
	}()
	t.Cleanup(p.stop)
	return p
}

func (p *process) stop() {
	_ = p.Process.Signal(syscall.SIGTERM)
	<-p.done
}

// running fails the test if the process has ended.
func (p *process) running(t *testing.T) {
	t.Helper()
	select {
	case <-p.done:
		t.Fatalf("%s has ended: %s", p.Path, p.log)
	default:
	}
}

// startPython starts the program behind the proxy and returns its address.
func startPython(t *testing.T) string {
	t.Helper()
	script, err := filepath.Abs("testdata/program.py")
	require.NoError(t, err)
	p := start(t, t.TempDir(), installed(t, "python3", "python3"), script)
	eventually(t, func() bool {
		p.running(t)
		return strings.Contains(p.log.String(), "\n")
	}, "the program prints its port")
	return "127.0.0.1:" + strings.TrimSpace(p.log.String())
}

var servesAt = regexp.MustCompile(`msg=serving address=(\S+)`)

// startGate starts the gate with a file of rules and returns its address.
func startGate(t *testing.T, rules, onezone string) (gate *process, address string) {
	t.Helper()
	path, err := program()
	require.NoError(t, err)
	gate = start(t, t.TempDir(), path, "gate", "--rules", rules, "--onezone", onezone, "--address", "127.0.0.1:0",
		"--max-age", "0s", "--log-level", "debug")
	eventually(t, func() bool {
		gate.running(t)
		return servesAt.MatchString(gate.log.String())
	}, "the gate serves")
	return gate, servesAt.FindStringSubmatch(gate.log.String())[1]
}

// page is the documentation, from which the test takes rules and configurations.
func page(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "gate.md"))
	require.NoError(t, err)
	return string(text)
}

// block returns the block of the page behind the mark.
func block(t *testing.T, mark string) string {
	t.Helper()
	_, after, found := strings.Cut(page(t), "<!-- "+mark+" -->\n```")
	require.True(t, found, "docs/gate.md has no block %q", mark)
	_, after, _ = strings.Cut(after, "\n")
	text, _, found := strings.Cut(after, "```")
	require.True(t, found)
	return text
}

// startProxy starts a proxy with its configuration of the page, in front of the
// program, and returns its address.
func startProxy(t *testing.T, name, gate, program string) string {
	t.Helper()
	port, err := freeport.Find()
	require.NoError(t, err)
	listen := net.JoinHostPort("127.0.0.1", port)
	mark := map[string]string{"nginx": "nginx: inside http", "caddy": "caddy"}[name]
	config := block(t, mark)
	for documented, actual := range map[string]string{"127.0.0.1:9081": gate, "127.0.0.1:8080": program, "127.0.0.1:8000": listen} {
		require.Contains(t, config, documented)
		config = strings.ReplaceAll(config, documented, actual)
	}
	dir := t.TempDir()
	var p *process
	if name == "nginx" {
		config = "daemon off;\npid nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n" +
			"client_body_temp_path body;\nproxy_temp_path proxy;\nfastcgi_temp_path fastcgi;\nuwsgi_temp_path uwsgi;\nscgi_temp_path scgi;\n" +
			config + "}\n"
		if os.Getuid() == 0 {
			config = "user root;\n" + config
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(config), 0o600))
		p = start(t, dir, installed(t, "nginx", "nginx"), "-p", dir, "-c", "nginx.conf", "-e", "stderr")
	} else {
		config = "{\n\tadmin off\n\tauto_https off\n}\n" + config
		require.NoError(t, os.WriteFile(filepath.Join(dir, "Caddyfile"), []byte(config), 0o600))
		p = start(t, dir, installed(t, "caddy", "caddy"), "run", "--config", "Caddyfile", "--adapter", "caddyfile")
	}
	eventually(t, func() bool {
		c, err := net.Dial("tcp", listen)
		if err == nil {
			_ = c.Close()
		}
		p.running(t)
		return err == nil
	}, name+" listens")
	return listen
}
