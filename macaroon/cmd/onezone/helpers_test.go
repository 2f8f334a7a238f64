package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// patience is the longest wait for a condition.
const patience = 60 * time.Second

// eventually polls until the condition holds.
func eventually(t *testing.T, holds func() bool, about string) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); <-time.After(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not happen: %s", about)
		}
	}
}

// need returns the path of a program. Without the program it skips the test, or
// fails it under CI.
func need(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		missing(t, program+" is not installed")
	}
	return path
}

func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

var built struct {
	once sync.Once
	dir  string
	err  error
}

// binary returns the path of the program, which is built once for all tests.
func binary(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "onezone-"); built.err != nil {
			return
		}
		out, err := exec.Command("go", "build", "-o", built.dir, ".", "github.com/onezone-go/onezone/internal/testing/baseline").CombinedOutput()
		if err != nil {
			built.err = fmt.Errorf("building the program: %w: %s", err, out)
		}
	})
	require.NoError(t, built.err)
	return filepath.Join(built.dir, "onezone")
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// server is the running program.
type server struct {
	t        *testing.T
	url      string // http://127.0.0.1:PORT
	admin    string // http://127.0.X.Y:PORT
	password string // of the demo user, if it was just created
	token    string // the printed token
	lines    []string
	out, log syncbuffer.Buffer
	cmd      *exec.Cmd
	client   *http.Client
	ended    chan struct{}
}

var (
	printedURL      = regexp.MustCompile(`https?://[^/ ]+`)
	printedPassword = regexp.MustCompile(`curl .*-u demo:(\S+)`)
	printedToken    = regexp.MustCompile(`x-auth-token: (\S+)'`)
)

// start starts the program in the directory on a free port, and waits until it
// has printed the commands to try. It has a demo user unless the arguments turn
// that off, and stops at the end of the test.
func start(t *testing.T, dir string, args ...string) *server {
	t.Helper()
	s := &server{t: t, client: &http.Client{Transport: &http.Transport{}, Timeout: patience}, ended: make(chan struct{})}
	s.cmd = exec.Command(binary(t), append([]string{"serve", "--address", "127.0.0.1:0", "--admin-address", s.newAdmin(), "--drain", "500ms", "--demo"}, args...)...)
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = dir, &s.out, &s.log
	require.NoError(t, s.cmd.Start())
	go func() {
		_ = s.cmd.Wait()
		close(s.ended)
	}()
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		_ = s.cmd.Process.Kill()
		<-s.ended
	})
	eventually(t, func() bool {
		select {
		case <-s.ended:
			t.Fatalf("the program ended: %s", s.log.String())
		default:
		}
		return printedToken.MatchString(s.out.String())
	}, "the program prints what to try")
	printed := s.out.String()
	for line := range strings.Lines(printed) {
		if strings.HasPrefix(line, "curl ") {
			s.lines = append(s.lines, strings.TrimSpace(line))
		}
	}
	s.url = printedURL.FindString(printed)
	s.token = printedToken.FindStringSubmatch(printed)[1]
	if m := printedPassword.FindStringSubmatch(printed); m != nil {
		s.password = m[1]
	}
	return s
}

// admins counts the admin addresses of this process.
var admins atomic.Uint32

// newAdmin returns an admin address of its own for the server. Every process and
// test has another address of the loopback network, so the port is free.
func (s *server) newAdmin() string {
	n, pid := admins.Add(1), os.Getpid()
	address := fmt.Sprintf("127.%d.%d.%d:19089", 1+pid%254, n/250, 1+n%250)
	s.admin = "http://" + address
	return address
}

// hasLogged reports whether one line of the log has all the texts.
func (s *server) hasLogged(texts ...string) bool {
	for line := range strings.Lines(s.log.String()) {
		if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) }) {
			return true
		}
	}
	return false
}

// metrics returns what a scraper of Prometheus gets.
func (s *server) metrics() string {
	s.t.Helper()
	a := s.ask(s.admin, "GET", "/metrics", "")
	require.Equal(s.t, 200, a.status)
	return a.body
}

// stop stops the program and asserts success.
func (s *server) stop() {
	s.t.Helper()
	require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.t.Fatal("the program does not end")
	}
	require.Zero(s.t, s.cmd.ProcessState.ExitCode(), s.log.String())
}

// answer is a response of the service.
type answer struct {
	status int
	header http.Header
	body   string
}

// do sends a request to a path of the API. The headers are alternating names
// and values.
func (s *server) do(method, path, body string, headers ...string) answer {
	s.t.Helper()
	return s.get(method, rest.Prefix+path, body, headers...)
}

// get sends a request to a path of the service.
func (s *server) get(method, path, body string, headers ...string) answer {
	s.t.Helper()
	return s.ask(s.url, method, path, body, headers...)
}

// ask sends a request to a path of the service or of its admin address.
func (s *server) ask(url, method, path, body string, headers ...string) answer {
	s.t.Helper()
	r, err := http.NewRequest(method, url+path, strings.NewReader(body))
	require.NoError(s.t, err)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := s.client.Do(r)
	require.NoError(s.t, err)
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	return answer{res.StatusCode, res.Header, string(data)}
}

// verify verifies an access token with the service, for a client with the
// address.
func (s *server) verify(token, peer string) answer {
	s.t.Helper()
	return s.do("POST", "/tokens/verify_access_token", encoded(s.t, map[string]any{"token": token, "peerIp": peer}))
}

// newToken creates a named token with the printed one.
func (s *server) newToken(name string) (id, token string) {
	s.t.Helper()
	a := s.do("POST", "/user/tokens/named", encoded(s.t, map[string]any{"name": name}), "X-Auth-Token", s.token)
	require.Equal(s.t, 201, a.status, a.body)
	var made struct{ TokenID, Token string }
	require.NoError(s.t, json.Unmarshal([]byte(a.body), &made))
	return made.TokenID, made.Token
}

func encoded(t *testing.T, value any) string {
	t.Helper()
	data, err := json.Marshal(value)
	require.NoError(t, err)
	return string(data)
}

// unset is an environment without variables.
func unset(string) string { return "" }

// field returns a string in a JSON object.
func field(t *testing.T, object, key string) string {
	t.Helper()
	var fields map[string]any
	require.NoError(t, json.Unmarshal([]byte(object), &fields), object)
	text, ok := fields[key].(string)
	require.True(t, ok, "%s in %s", key, object)
	return text
}

// basic returns the value of an Authorization header.
func basic(user, password string) string {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(user, password)
	return r.Header.Get("Authorization")
}

// forged returns the text of a token with the identifier and a random
// signature.
func forged(identifier string) string {
	packet := func(key, value string) string {
		return fmt.Sprintf("%04x%s %s\n", 4+len(key)+1+len(value)+1, key, value)
	}
	text := packet("location", "onezone") + packet("identifier", identifier) + packet("signature", strings.Repeat("s", 32))
	return strings.NewReplacer("0", "00", "_", "01", "-", "02").Replace(base64.RawURLEncoding.EncodeToString([]byte(text)))
}
