package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Clients that keep their connections and send requests at full speed get a
// response to each; then the connection closes with a response.
func TestSIGTERMUnderLoadLosesNoRequest(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	_, token := s.newToken("laptop")
	body := encoded(t, map[string]string{"token": token})
	var answered atomic.Int64
	var failures sync.Map
	var clients sync.WaitGroup
	for range 16 {
		clients.Go(func() {
			client := &http.Client{Transport: &http.Transport{}, Timeout: patience}
			defer client.CloseIdleConnections()
			for {
				res, err := client.Post(s.url+"/api/v3/onezone/tokens/verify_access_token", "application/json", strings.NewReader(body))
				if err == nil {
					_, err = io.Copy(io.Discard, res.Body)
					_ = res.Body.Close()
				}
				if err != nil || res.StatusCode != http.StatusOK {
					failures.Store(fmt.Sprint(err, res), true)
					return
				}
				answered.Add(1)
				if res.Close {
					return
				}
			}
		})
	}
	eventually(t, func() bool { return answered.Load() > 500 }, "500 answers")
	s.stop()
	clients.Wait()
	failures.Range(func(failure, _ any) bool {
		t.Errorf("a request failed: %v", failure)
		return true
	})
	require.Contains(t, s.log.String(), "all requests are answered")
	fmt.Printf("onezone: SIGTERM under load, %d requests, none without an answer\n", answered.Load())
}

// A request whose body is still arriving at the signal is answered, while new
// ones are refused.
func TestSIGTERMWaitsForARequestThatWasAccepted(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), "--drain", "0s")
	_, token := s.newToken("laptop")
	body := encoded(t, map[string]string{"token": token})
	address := strings.TrimPrefix(s.url, "http://")
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = fmt.Fprintf(conn, "POST /api/v3/onezone/tokens/verify_access_token HTTP/1.1\r\nHost: x\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", len(body))
	require.NoError(t, err)
	reader := bufio.NewReader(conn)
	line, err := reader.ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, "100", "the handler waits for the body")
	_, err = reader.ReadString('\n')
	require.NoError(t, err)

	require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
	eventually(t, func() bool {
		other, err := net.Dial("tcp", address)
		if err == nil {
			_ = other.Close()
		}
		return err != nil
	}, "no new connections are taken")
	_, err = io.WriteString(conn, body)
	require.NoError(t, err)
	res, err := http.ReadResponse(reader, nil)
	require.NoError(t, err, "the request was accepted before the signal")
	_ = res.Body.Close()
	require.Equal(t, http.StatusOK, res.StatusCode)
	<-s.ended
	require.Zero(t, s.cmd.ProcessState.ExitCode(), s.log.String())
}

func TestReadinessEndsBeforeTheServiceDoes(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), "--drain", "30s")
	require.Equal(t, 200, s.get("GET", "/readyz", "").status)
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
	eventually(t, func() bool { return s.get("GET", "/readyz", "").status == 503 }, "not ready")
	require.Equal(t, 200, s.get("GET", "/healthz", "").status, "and still there")
	a := s.verify(s.token, "127.0.0.1")
	require.Equal(t, 200, a.status)
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
	<-s.ended
	require.NotZero(t, s.cmd.ProcessState.ExitCode(), "a second signal ends it at once")
}
