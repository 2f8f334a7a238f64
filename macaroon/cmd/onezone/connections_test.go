package main

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// pool holds connections to one service.
type dialer struct {
	t       *testing.T
	address string
}

// from opens a connection from the given loopback address.
func (d dialer) from(address string) net.Conn {
	d.t.Helper()
	local := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}, Timeout: patience}
	conn, err := local.Dial("tcp", d.address)
	require.NoError(d.t, err)
	d.t.Cleanup(func() { _ = conn.Close() })
	require.NoError(d.t, conn.SetDeadline(time.Now().Add(patience)))
	return conn
}

// asks sends a request over the connection and returns the status, 0 if the
// service has closed it.
func asks(conn net.Conn) int {
	if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return 0
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	return res.StatusCode
}

// half sends the beginning of a request, so that the connection is busy, and
// waits until the service has read it.
func half(t *testing.T, conn net.Conn) {
	t.Helper()
	_, err := io.WriteString(conn, "POST /api/v3/onezone/tokens/examine HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+
		"Content-Length: 10\r\nExpect: 100-continue\r\n\r\n")
	require.NoError(t, err)
	line, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, "100 Continue")
}

func TestConnectionsAreLimitedPerAddress(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), "--store", "memory:", "--max-connections-per-address", "3", "--trusted-proxies", "127.0.0.9")
	d := dialer{t, strings.TrimPrefix(s.url, "http://")}
	conns := []net.Conn{d.from("127.0.0.2"), d.from("127.0.0.2"), d.from("127.0.0.2")}
	for _, conn := range conns {
		require.Equal(t, 200, asks(conn))
	}
	var last net.Conn
	// The server counts a connection as idle shortly after the client has read
	// the response.
	eventually(t, func() bool {
		last = d.from("127.0.0.2")
		return asks(last) == 200
	}, "an idle connection makes room")
	conns = slices.DeleteFunc(conns, func(conn net.Conn) bool { return asks(conn) == 0 })
	require.Len(t, conns, 2)

	first := conns[0]
	for _, conn := range append(conns, last) {
		half(t, conn)
	}
	require.Zero(t, asks(d.from("127.0.0.2")), "requests under way are not cut off")
	require.Equal(t, 200, asks(d.from("127.0.0.3")))
	require.NoError(t, first.Close())
	eventually(t, func() bool { return asks(d.from("127.0.0.2")) == 200 }, "a connection that ends makes room")

	for range 10 {
		proxied := d.from("127.0.0.9")
		half(t, proxied)
		conns = append(conns, proxied)
	}
	for _, conn := range append(conns, last) { // the service waits for their requests
		_ = conn.Close()
	}
	s.stop()
	require.Contains(t, s.log.String(), "connections refused: too many are open")
}

func TestTheLongestIdleConnectionIsClosedFirst(t *testing.T) {
	t.Parallel()
	c := settings{limits: limits{connections: 3, perAddress: 3}}.bounded(nil, slog.New(slog.DiscardHandler))
	admit := func() net.Conn {
		client, server := net.Pipe()
		t.Cleanup(func() { _ = client.Close() })
		return c.admit(server)
	}
	first, second, third := admit(), admit(), admit()
	for _, conn := range []net.Conn{second, first, third} {
		c.state(conn, http.StateActive)
		c.state(conn, http.StateIdle)
	}
	isOpen := func(conn net.Conn) bool { return !conn.(*connection).closed }
	fourth := admit()
	require.False(t, isOpen(second))
	require.True(t, isOpen(first) && isOpen(third) && isOpen(fourth))
	c.state(first, http.StateActive)
	admit()
	require.False(t, isOpen(third), "a connection with a request is not idle")
	require.True(t, isOpen(first) && isOpen(fourth))
}

func TestConnectionsAreLimitedInTotal(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), "--store", "memory:", "--max-connections", "4")
	d := dialer{t, strings.TrimPrefix(s.url, "http://")}
	var busy []net.Conn
	for i := range 3 {
		conn := d.from(fmt.Sprintf("127.0.0.%d", i+2))
		half(t, conn)
		busy = append(busy, conn)
	}
	idle := d.from("127.0.0.9")
	require.Equal(t, 200, asks(idle))
	// The server counts a connection as idle shortly after the client has read
	// the response.
	var next net.Conn
	eventually(t, func() bool {
		next = d.from("127.0.0.10")
		return asks(next) == 200
	}, "an idle connection makes room")
	require.Zero(t, asks(idle))
	half(t, next)
	require.Zero(t, asks(d.from("127.0.0.11")))
	require.NoError(t, busy[0].Close())
	eventually(t, func() bool { return asks(d.from("127.0.0.11")) == 200 }, "a connection that ends makes room")
}

func TestConnectionsOverTLSAreCountedToo(t *testing.T) {
	t.Parallel()
	cert, key := newCertificate(t, t.TempDir())
	s := start(t, t.TempDir(), "--store", "memory:", "--max-connections", "2", "--tls-cert", cert, "--tls-key", key)
	d := dialer{t, strings.TrimPrefix(s.url, "https://")}
	var conns []net.Conn
	for range 3 {
		conns = append(conns, d.from("127.0.0.2"))
	}
	_, err := conns[0].Read(make([]byte, 1))
	require.Error(t, err, "the first is closed for the third")
}

func TestAnIPv6SiteIsOneClient(t *testing.T) {
	t.Parallel()
	network := func(text string) netip.Addr {
		return clientNetwork(addressOf(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(text))))
	}
	require.Equal(t, network("[2001:db8::1%eth0]:80"), network("[2001:db8::2]:81"))
	require.NotEqual(t, network("[2001:db8::1]:80"), network("[2001:db8:0:1::1]:80"))
	require.Equal(t, network("[::ffff:192.0.2.1]:80"), network("192.0.2.1:81"))
	require.False(t, addressOf(&net.UnixAddr{}).IsValid())
}

// The server refuses a request with too large headers before the API sees it,
// and the service issues no tokens that would not fit.
func TestHeadersAreLimitedAndNewTokensFitIntoThem(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), "--store", "memory:")
	a := s.do("GET", "/user/tokens/temporary", "", "X-Auth-Token", s.token, "X", strings.Repeat("x", 8<<10))
	require.Equal(t, 200, a.status)
	// The server closes the connection without reading the rest, so the client
	// can lose the response.
	d := dialer{t, strings.TrimPrefix(s.url, "http://")}
	eventually(t, func() bool {
		conn := d.from("127.0.0.2")
		defer conn.Close()
		_, _ = io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\nX: "+strings.Repeat("x", 24<<10)+"\r\n\r\n")
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		return err == nil && res.StatusCode == http.StatusRequestHeaderFieldsTooLarge
	}, "431")

	confine := func(n int) answer {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf("10.%d.%d.0/24", i/256, i%256)
		}
		return s.do("POST", "/tokens/confine", encoded(t, map[string]any{
			"token": s.token, "caveats": []any{map[string]any{"type": "ip", "whitelist": list}},
		}))
	}
	a = confine(300)
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, 401, s.do("GET", "/user/tokens/temporary", "", "X-Auth-Token", field(t, a.body, "token")).status, "it is read, and refused")
	a = confine(1000)
	require.Equal(t, 400, a.status)
	require.Contains(t, a.body, "tokenTooLarge")
	require.Contains(t, a.body, "8192")

	wide := start(t, t.TempDir(), "--store", "memory:", "--max-header-bytes", "65536")
	a = wide.do("GET", "/user/tokens/temporary", "", "X-Auth-Token", wide.token, "X", strings.Repeat("x", 60<<10))
	require.Equal(t, 200, a.status)
}
