//go:build e2e && linux

package exhaustion

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// most is the limit on the memory of the service during all attacks, in
	// millions of bytes.
	most = 128
	// many is more descriptors than any of the attacks uses.
	many = 4096
	// attacker and bystander are addresses of this machine.
	attacker, bystander = "127.0.0.2", "127.0.0.3"
)

// measured logs the peak memory and checks the limit.
func measured(t *testing.T, s *service, what string) {
	t.Helper()
	peak := s.megabytes()
	fmt.Printf("exhaustion: %s: peak of %d MB\n", what, peak)
	require.Less(t, peak, most, what)
}

// largest creates named tokens that are as large as the service accepts, up to
// 1.2 MB each. It returns how many were created.
func largest(t *testing.T, s *service, n int) (created int) {
	t.Helper()
	c := client(attacker)
	size := 0
	for _, try := range []int{1_200_000, 250_000, 64_000} {
		status, _ := s.do(c, "POST", "/user/tokens/named", metadata("probe", try))
		if size = try; status == http.StatusCreated {
			break
		}
		require.Equal(t, http.StatusBadRequest, status)
	}
	for i := range n {
		status, _ := s.do(c, "POST", "/user/tokens/named", metadata(fmt.Sprint("large ", i), size))
		require.Equal(t, http.StatusCreated, status)
		created++
	}
	return created
}

func metadata(name string, size int) string {
	return fmt.Sprintf(`{"name": %q, "customMetadata": {"x": "%s"}}`, name, strings.Repeat("m", size))
}

// together sends n requests concurrently and counts the answers by status.
func together(n int, send func(i int) (status int)) map[int]int {
	var mu sync.Mutex
	var all sync.WaitGroup
	statuses := map[int]int{}
	for i := range n {
		all.Go(func() {
			status := send(i)
			mu.Lock()
			defer mu.Unlock()
			statuses[status]++
		})
	}
	all.Wait()
	return statuses
}

func TestLaw12LargeTokensAreListedAndDeletedInBoundedMemory(t *testing.T) {
	t.Parallel()
	s := start(t, many)
	largest(t, s, 100)
	for _, path := range []string{"/user/client_tokens", "/user/tokens/named"} {
		statuses := together(6, func(int) int {
			status, _ := s.do(client(attacker), "GET", path, "")
			return status
		})
		require.Equal(t, map[int]int{http.StatusOK: 6}, statuses, path)
		measured(t, s, "100 large tokens, six times GET "+path)
	}
	status, _ := s.do(client(attacker), "DELETE", "/user/tokens/named", "")
	require.Equal(t, http.StatusNoContent, status)
	measured(t, s, "DELETE of 100 large tokens")
}

// flood opens connections, calls write with each, and leaves them open. The
// service may close any of them.
func flood(t *testing.T, s *service, connections int, write func(conn net.Conn, i int)) {
	t.Helper()
	var all sync.WaitGroup
	for i := range connections {
		conn := s.dial(attacker)
		require.NoError(t, conn.SetDeadline(time.Now().Add(2*time.Second)))
		all.Go(func() { write(conn, i) })
	}
	all.Wait()
}

func TestLaw12HeadersOfManyConnectionsTakeBoundedMemory(t *testing.T) {
	t.Parallel()
	const head = "GET " + api + "/user/tokens/temporary HTTP/1.1\r\nHost: x\r\n"
	for name, headers := range map[string]string{
		"tiny headers":      strings.Repeat("a: b\r\n", 680_000),
		"3 MB of Basic":     "Authorization: Basic " + strings.Repeat("QUFB", 750_000) + "\r\n",
		"Basic of 12 kB":    "Authorization: Basic " + strings.Repeat("QUFB", 3_000) + "\r\n",
		"3 MB, and no end":  "X: " + strings.Repeat("y", 3_000_000),
		"small, and no end": strings.Repeat("a: b\r\n", 2_000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, many)
			end := "\r\n"
			if strings.HasSuffix(name, "no end") {
				end = ""
			}
			flood(t, s, 60, func(conn net.Conn, _ int) {
				if _, err := io.WriteString(conn, head+headers+end); err == nil {
					_, _ = io.Copy(io.Discard, conn)
				}
			})
			s.serves(bystander)
			measured(t, s, "60 connections with "+name)
		})
	}
}

func TestLaw12BodiesOfManyConnectionsTakeBoundedMemory(t *testing.T) {
	t.Parallel()
	const size = 2<<20 - 1
	t.Run("slow", func(t *testing.T) {
		t.Parallel()
		s := start(t, many)
		body := `{"token": "` + strings.Repeat("a", size-13)
		flood(t, s, 60, func(conn net.Conn, _ int) {
			_, _ = fmt.Fprintf(conn, "POST %s/tokens/examine HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", api, size, body)
		})
		s.serves(bystander)
		s.serves(attacker)
		measured(t, s, "60 connections with bodies that do not end")
	})
	for name, body := range map[string]string{
		"tokens":  `{"token": "` + strings.Repeat("MDAx", size/4-8) + `"}`,
		"caveats": `{"token": "x", "caveats": [` + strings.Repeat(`{"type":"data.readonly"},`, size/26) + `0]}`,
		"keys":    `{"token": {` + keys(size/16) + `"x":0}}`,
		"nested":  `{"token": [` + strings.Repeat("[],", size/3-10) + `0]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, many)
			together(60, func(i int) int {
				from := attacker
				if i%2 == 0 {
					from = fmt.Sprintf("127.0.1.%d", i+1)
				}
				status, _ := s.do(client(from), "POST", "/tokens/confine", body)
				return status
			})
			s.serves(bystander)
			measured(t, s, "60 bodies of 2 MB at once, of one and of many addresses: "+name)
		})
	}
}

// keys returns a JSON object with n members.
func keys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"k%07d":0,`, i)
	}
	return b.String()
}

func TestLaw12IdleConnectionsKeepNobodyOut(t *testing.T) {
	t.Parallel()
	t.Run("of one address", func(t *testing.T) {
		t.Parallel()
		s := start(t, 200)
		for range 250 {
			s.dial(attacker)
		}
		s.serves(bystander)
		measured(t, s, "250 idle connections, 200 descriptors")
	})
	t.Run("of many addresses", func(t *testing.T) {
		t.Parallel()
		s := start(t, 200)
		for i := range 250 {
			conn := s.dial(fmt.Sprintf("127.0.1.%d", i+1))
			if i%2 == 0 { // these have sent a complete request
				_, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
				require.NoError(t, err)
			}
		}
		s.serves(bystander)
		measured(t, s, "250 idle connections of as many addresses, 200 descriptors")
	})
}
