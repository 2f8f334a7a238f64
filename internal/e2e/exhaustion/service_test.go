//go:build e2e && linux

package exhaustion

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	api      = "/api/v3/onezone"
	patience = 30 * time.Second
)

// binary builds the service once, or returns the build that ONEZONE_BINARY
// names.
var binary = sync.OnceValues(func() (path string, err error) {
	if path = os.Getenv("ONEZONE_BINARY"); path != "" {
		return path, nil
	}
	dir, err := os.MkdirTemp("", "onezone-")
	if err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-o", dir, ".")
	build.Dir = filepath.Join("..", "..", "..", "macaroon", "cmd", "onezone")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the service: %w: %s", err, out)
	}
	return filepath.Join(dir, "onezone"), nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil && os.Getenv("ONEZONE_BINARY") == "" {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// service is the running program, and its demo user.
type service struct {
	t        *testing.T
	address  string
	password string
	token    string
	cmd      *exec.Cmd
	log      *bytes.Buffer
}

var (
	printedURL      = regexp.MustCompile(`https?://([^/ ]+)`)
	printedPassword = regexp.MustCompile(`-u demo:(\S+)`)
	printedToken    = regexp.MustCompile(`x-auth-token: (\S+)'`)
)

// start runs the service over SQLite with a limit on file descriptors. The end
// of the test stops it.
func start(t *testing.T, descriptors int, args ...string) *service {
	t.Helper()
	path, err := binary()
	require.NoError(t, err)
	s := &service{t: t, log: &bytes.Buffer{}}
	s.cmd = exec.Command("sh", append([]string{"-c", `ulimit -n "$0" && exec "$@"`, strconv.Itoa(descriptors), path,
		"serve", "--address", "127.0.0.1:0", "--log-level", "error", "--demo"}, args...)...)
	s.cmd.Dir, s.cmd.Stderr = t.TempDir(), s.log
	out, err := s.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, s.cmd.Start())
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	})
	var printed strings.Builder
	for chunk := make([]byte, 4096); !printedToken.MatchString(printed.String()); {
		n, err := out.Read(chunk)
		require.NoError(t, err, "the service does not start: %s", printed.String())
		printed.Write(chunk[:n])
	}
	s.address = printedURL.FindStringSubmatch(printed.String())[1]
	s.password = printedPassword.FindStringSubmatch(printed.String())[1]
	s.token = printedToken.FindStringSubmatch(printed.String())[1]
	return s
}

// megabytes returns the peak memory of the service, in millions of bytes.
func (s *service) megabytes() int {
	s.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	require.NoError(s.t, err, "the service has ended")
	peak := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(text)
	require.NotNil(s.t, peak)
	kilobytes, err := strconv.Atoi(string(peak[1]))
	require.NoError(s.t, err)
	return kilobytes * 1024 / 1_000_000
}

// client returns an HTTP client whose requests come from the loopback address.
func client(from string) *http.Client {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	return &http.Client{Timeout: patience, Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}}
}

// dial opens a connection from the loopback address. The end of the test closes
// it.
func (s *service) dial(from string) net.Conn {
	s.t.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: patience}
	conn, err := dialer.Dial("tcp", s.address)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// do sends a request as the demo user, and returns the status and size of the
// answer. Both are 0 without an answer.
func (s *service) do(c *http.Client, method, path, body string) (status int, size int64) {
	r, err := http.NewRequest(method, "http://"+s.address+api+path, strings.NewReader(body))
	if err != nil {
		return 0, 0
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Auth-Token", s.token)
	res, err := c.Do(r)
	if err != nil {
		return 0, 0
	}
	defer func() { _ = res.Body.Close() }()
	size, err = io.Copy(io.Discard, res.Body)
	if err != nil {
		return 0, size
	}
	return res.StatusCode, size
}

// serves requires that a client at the address is answered in time.
func (s *service) serves(from string) {
	s.t.Helper()
	c := client(from)
	c.Timeout = 5 * time.Second
	status, _ := s.do(c, "GET", "/user/tokens/temporary", "")
	require.Equal(s.t, http.StatusOK, status, "a client at %s is served", from)
}
