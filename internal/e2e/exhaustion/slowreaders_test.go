//go:build e2e && linux

package exhaustion

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// slowReader opens a connection whose receive buffer is small, sends a GET, and
// reads only the first byte of the answer.
func (s *service) slowReader(from, path string) {
	s.t.Helper()
	dialer := &net.Dialer{
		LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: patience,
		Control: func(_, _ string, c syscall.RawConn) (err error) {
			if controlErr := c.Control(func(fd uintptr) {
				err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096)
			}); controlErr != nil {
				return controlErr
			}
			return err
		},
	}
	conn, err := dialer.Dial("tcp", s.address)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = conn.Close() })
	require.NoError(s.t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = fmt.Fprintf(conn, "GET %s%s HTTP/1.1\r\nHost: x\r\nX-Auth-Token: %s\r\n\r\n", api, path, s.token)
	require.NoError(s.t, err)
	_, err = io.ReadFull(conn, make([]byte, 1))
	require.NoError(s.t, err)
}

// A client that does not read its answers makes the service keep only one page
// of a list.
func TestLaw12ClientsThatReadSlowlyTakeBoundedMemory(t *testing.T) {
	t.Parallel()
	s := start(t, many)
	addresses := strings.TrimSuffix(strings.Repeat(`"203.0.113.7",`, 380), ",")
	for i := range 400 {
		body := fmt.Sprintf(`{"name": "slow %d", "caveats": [{"type":"ip","whitelist":[%s]}]}`, i, addresses)
		status, _ := s.do(client(attacker), "POST", "/user/tokens/named", body)
		require.Equal(t, http.StatusCreated, status)
	}
	together(95, func(i int) int {
		s.slowReader(fmt.Sprintf("127.0.1.%d", i%10+1), "/user/client_tokens")
		return 0
	})
	s.serves(bystander)
	measured(t, s, "95 clients that do not read their lists")
}
