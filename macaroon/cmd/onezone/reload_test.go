package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// hangUp sends SIGHUP and waits for a line of the log.
func (s *server) hangUp(line string) {
	s.t.Helper()
	before := strings.Count(s.log.String(), line)
	require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGHUP))
	eventually(s.t, func() bool { return strings.Count(s.log.String(), line) > before }, line)
}

const (
	reloadedLine    = "the settings were reloaded"
	notReloadedLine = "the settings were not reloaded"
)

// trust returns a client that trusts the certificate and keeps connections.
func trust(t *testing.T, cert string) *http.Client {
	t.Helper()
	text, err := os.ReadFile(cert)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(text))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

func TestSIGHUPReplacesTheCertificateWithoutDroppingAConnection(t *testing.T) {
	t.Parallel()
	dir, other := t.TempDir(), t.TempDir()
	cert, key := newCertificate(t, dir)
	newCert, newKey := newCertificate(t, other)
	s := start(t, dir, "--store", "memory:", "--tls-cert", cert, "--tls-key", key)
	old := trust(t, cert)
	healthy := func(c *http.Client) error {
		res, err := c.Get(s.url + "/healthz")
		if err == nil {
			_, err = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}
		return err
	}
	require.NoError(t, healthy(old))

	// The files do not fit together: the old certificate stays.
	copyFile(t, newCert, cert)
	s.hangUp(notReloadedLine)
	require.Contains(t, s.log.String(), "--tls-cert")
	require.Error(t, healthy(trust(t, newCert)))
	copyFile(t, newKey, key)
	s.hangUp(reloadedLine)
	require.NoError(t, healthy(trust(t, newCert)))
	require.NoError(t, healthy(old), "the connection from before is still open: a new one would not be trusted")
	s.stop()
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(to, text, 0o600))
}

func TestSIGHUPReplacesSealKeysAndTheLogLevel(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, second := keyLine("2026", "a"), keyLine("2027", "b")
	keys := keyFile(t, first)
	config := configFile(t, `log-level = "info"`)
	s := start(t, dir, "--config", config, "--seal-key-file", keys)
	_, token := s.newToken("laptop")
	file := filepath.Join(dir, "data", "onezone.db")

	// Keys that do not open the store are refused, and the old ones stay.
	require.NoError(t, os.WriteFile(keys, []byte(second), 0o600))
	s.hangUp(notReloadedLine)
	require.Contains(t, s.log.String(), "--seal-key-file "+keys)
	require.Equal(t, 200, s.get("GET", "/readyz", "").status)
	require.Equal(t, 200, s.verify(token, "127.0.0.1").status)

	require.NoError(t, os.WriteFile(keys, []byte(second+first), 0o600))
	require.NoError(t, os.WriteFile(config, []byte("log-level = \"warn\"\naddress = \"127.0.0.1:1\"\ndomain = \"other.example.com\""), 0o600))
	s.hangUp("changed settings take effect at the next start")
	require.Contains(t, s.log.String(), "settings=domain", "the flag for the address takes precedence")
	_, err := order(t, file, "", "store", "reseal", "--seal-key-file", keys)
	require.NoError(t, err)
	_, other := s.newToken("phone")
	s.stop()
	require.NotContains(t, s.log.String(), "all requests are answered", "that is of the level info")
	again := start(t, dir, "--seal-key-file", keyFile(t, second))
	for _, each := range []string{token, other} {
		require.Equal(t, 200, again.verify(each, "127.0.0.1").status, "the old key is not needed any more")
	}
}

func TestSIGHUPRefusesAWrongConfiguration(t *testing.T) {
	t.Parallel()
	config := configFile(t, `log-level = "info"`)
	s := start(t, t.TempDir(), "--config", config, "--store", "memory:")
	for text, want := range map[string]string{
		`log-levle = "warn"`:         `line 1: unknown key \"log-levle\", did you mean log-level?`,
		`seal-key-file = "/nowhere"`: "--seal-key-file cannot be turned on or off while the service runs",
		`audit = "/nowhere"`:         "--audit cannot be turned on or off while the service runs",
	} {
		require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
		s.hangUp(notReloadedLine)
		require.Contains(t, s.log.String(), want)
	}
	require.Equal(t, 200, s.verify(s.token, "127.0.0.1").status)
	s.stop()
}

// auditLines returns the events in a file.
func auditLines(t *testing.T, file string) (lines []auditLine) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	for each := range strings.Lines(string(text)) {
		var line auditLine
		require.NoError(t, json.Unmarshal([]byte(each), &line), each)
		lines = append(lines, line)
	}
	return lines
}

func TestEachEventIsALineOfTheAuditFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "audit.jsonl")
	s := start(t, dir, "--audit", file)
	id, token := s.newToken("laptop")
	require.Equal(t, 401, s.do("GET", "/user", "", "Authorization", basic("demo\u202e", "not the password"), "X-Request-Id", "r-1").status)
	require.Equal(t, 204, s.do("DELETE", "/tokens/named/"+id, "", "X-Auth-Token", s.token, "X-Request-Id", "r-2").status)
	about, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), about.Mode().Perm())

	lines := auditLines(t, file)
	find := func(event, request string) auditLine {
		for _, each := range lines {
			if each.Event == event && each.Request == request {
				return each
			}
		}
		t.Fatalf("no %s for %s in %v", event, request, lines)
		return auditLine{}
	}
	failed := find("logInFailed", "r-1")
	require.Equal(t, auditLine{
		Time: failed.Time, ID: failed.ID, Event: "logInFailed", Outcome: "failure", Reason: "badBasicCredentials",
		Client: "127.0.0.1", Request: "r-1", User: `demo\u202e`,
	}, failed)
	_, err = time.Parse(time.RFC3339Nano, failed.Time)
	require.NoError(t, err)
	deleted := find("deleted", "r-2")
	require.Equal(t, auditLine{
		Time: deleted.Time, ID: deleted.ID, Event: "deleted", Outcome: "success", Actor: deleted.Actor, Method: "token",
		ActorToken: deleted.ActorToken, Client: "127.0.0.1", Request: "r-2", Token: id,
	}, deleted)
	require.Regexp(t, "^usr-[0-9a-f]{32}$", deleted.Actor)

	// A program that rotates logs moves the file away and sends SIGHUP.
	require.NoError(t, os.Rename(file, file+".1"))
	s.hangUp(reloadedLine)
	_, err = order(t, filepath.Join(dir, "data", "onezone.db"), "", "user", "block", "--audit", file, "demo")
	require.NoError(t, err)
	eventually(t, func() bool { return s.verify(s.token, "127.0.0.1").status == 400 }, "the user is blocked")
	lines = auditLines(t, file)
	require.Equal(t, []string{"userBlocked", "command"}, []string{lines[0].Event, lines[0].Method})
	require.NotEmpty(t, lines[0].Operator, "the command appends to the same file")
	require.Equal(t, "userBlocked", lines[len(lines)-1].Reason)
	s.stop()
	for _, each := range []string{file, file + ".1"} {
		text, err := os.ReadFile(each)
		require.NoError(t, err)
		for _, secret := range []string{token, s.token, s.password, "not the password"} {
			require.NotContains(t, string(text), secret)
		}
	}
}

// systemd returns an address for NOTIFY_SOCKET, and the messages to it.
func systemd(t *testing.T) (address string, messages <-chan string) {
	t.Helper()
	address = filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: address, Net: "unixgram"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	received := make(chan string, 100)
	go func() {
		for message := make([]byte, 4096); ; {
			n, err := conn.Read(message)
			if err != nil {
				return
			}
			received <- string(message[:n])
		}
	}()
	return address, received
}

func TestSystemdIsToldTheStateOfTheService(t *testing.T) {
	address, messages := systemd(t)
	t.Setenv("NOTIFY_SOCKET", address)
	next := func() string {
		select {
		case m := <-messages:
			return m
		case <-time.After(patience):
			return "nothing"
		}
	}
	s := start(t, t.TempDir(), "--store", "memory:")
	require.Equal(t, "READY=1", next())
	s.hangUp(reloadedLine)
	require.Equal(t, []string{"RELOADING=1", "READY=1"}, []string{next(), next()})
	s.stop()
	require.Equal(t, "STOPPING=1", next())
}

func TestAnUnreachableSystemdIsLogged(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", fmt.Sprint(t.TempDir(), "/absent"))
	s := start(t, t.TempDir(), "--store", "memory:")
	s.stop()
	require.Contains(t, s.log.String(), "systemd was not told the state of the service")
}
