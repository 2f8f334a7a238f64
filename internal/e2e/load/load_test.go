package load_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/e2e/load"
)

func TestRoundSendsTheRequestAgainAndAgain(t *testing.T) {
	t.Parallel()
	var served, opened atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if string(body) != "body" {
			w.WriteHeader(http.StatusBadRequest)
		}
		served.Add(1)
		_, _ = io.WriteString(w, "an answer")
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	address := strings.TrimPrefix(s.URL, "http://")
	r, err := load.Round(address, []byte("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"), 3, 50*time.Millisecond)
	require.NoError(t, err)
	require.Greater(t, served.Load(), int64(3))
	require.Positive(t, r.Rate)
	require.LessOrEqual(t, r.P50, r.P99)
	require.EqualValues(t, 3, opened.Load(), "connections")

	_, err = load.Round(address, []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 1, time.Second)
	require.ErrorContains(t, err, "400 Bad Request")
}
