package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A proxy that hides /metrics compares the text of the path, so no other text
// may reach it.
func TestOwnPathsHaveOneSpelling(t *testing.T) {
	t.Parallel()
	s, end := inProcess(t, "--store", "memory:")
	defer end()
	for path, url := range map[string]string{"/metrics": s.admin, "/healthz": s.url, "/readyz": s.url} {
		name := path[1:]
		for target, status := range map[string]int{
			path:        200,
			path + "?x": 200,
			path + "?":  200,
			"/%" + fmt.Sprintf("%x", name[0]) + name[1:]: 404,
			"/%" + fmt.Sprintf("%X", name[0]) + name[1:]: 404,
			"%2F" + name:                           400, // no path at all
			"/%2F" + name:                          404,
			path + "%2F":                           404,
			path + "%3F":                           404,
			path + "%00":                           404,
			path + "/":                             404,
			path + "/.":                            404,
			path + "//":                            404,
			path + ";x":                            404,
			"/" + path:                             404,
			"/." + path:                            404,
			"/x/.." + path:                         404,
			"/%2e%2e" + path:                       404,
			"/" + strings.ToUpper(name):            404,
			"/api/v3/onezone/.." + path:            404,
			"/api/v3/onezone/%2e%2e/%2e%2e" + path: 404,
		} {
			require.Equal(t, status, s.raw(t, url, target), target)
		}
	}
}

// raw sends GET for the unchanged target to the URL, and returns the status.
func (s *server) raw(t *testing.T, url, target string) int {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", target)
	require.NoError(t, err)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode
}
