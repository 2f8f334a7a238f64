package rest_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/restcases"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// A body that does not arrive blocks only its own connection, until the time
// limit of the server.
func TestSlowBody(t *testing.T) {
	t.Parallel()
	w := restcases.NewFixture(t)
	server := httptest.NewUnstartedServer(w.Handler)
	server.Config.ReadTimeout = 300 * time.Millisecond
	server.Start()
	defer server.Close()

	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, "POST "+rest.Prefix+"/tokens/examine HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
	require.NoError(t, err)

	res, err := http.Post(server.URL+rest.Prefix+"/tokens/examine", "application/json", strings.NewReader(`{"token":"`+w.Laptop.String()+`"}`))
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusOK, res.StatusCode, "while the other is waited for")

	require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
	answer, err := io.ReadAll(conn)
	require.NoError(t, err, "the server closed the connection")
	if len(answer) > 0 {
		require.Contains(t, string(answer), "400 Bad Request")
		require.Contains(t, string(answer), "malformedData")
	}
}

// Bodies with a wrong length are errors of the client.
func TestBadlyFramedBody(t *testing.T) {
	t.Parallel()
	w := restcases.NewFixture(t)
	server := httptest.NewServer(w.Handler)
	defer server.Close()
	for _, c := range []struct{ framing, status string }{
		{"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{}", "400"},
		{"Content-Length: 100\r\n\r\n", "400"},
		{"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", "400"},
		{"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", "400"},
		{"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", "415"},
		{"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"}, // no body, and so no token
		{"Content-Type: application/json\r\nContent-Length: 2097153\r\n\r\n", "413"},
		{"Content-Type: application/json\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "400"},
	} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		_, err = io.WriteString(conn, "POST "+rest.Prefix+"/tokens/examine HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"+c.framing)
		require.NoError(t, err)
		require.NoError(t, conn.(*net.TCPConn).CloseWrite())
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
		answer, err := io.ReadAll(conn)
		require.NoError(t, err)
		require.NoError(t, conn.Close())
		require.True(t, strings.HasPrefix(string(answer), "HTTP/1.1 "+c.status+" "), "%q: %.200s", c.framing, answer)
	}
}
