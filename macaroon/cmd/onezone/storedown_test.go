package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/pgtest"
	"github.com/onezone-go/onezone/internal/testing/redistest"
)

// database is a server of the test. It keeps its port and its data when it
// restarts.
type database struct {
	url         string
	stop, start func() error // stop simulates a crash
}

func newRedis(t *testing.T) database {
	t.Helper()
	s := redistest.New(t, "--appendonly", "yes", "--appendfsync", "always")
	return database{"redis://" + s.Addr, func() error { s.Kill(); return nil }, s.Restart}
}

func newPostgres(t *testing.T) database {
	t.Helper()
	s := pgtest.Own(t)
	return database{s.URL, func() error { return s.Stop("immediate") }, s.Start}
}

func TestTheServiceRecoversWhenTheStoreDoes(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*testing.T) database{"postgres": newPostgres, "redis": newRedis} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t)
			s := start(t, t.TempDir(), "--store", d.url, "--store-timeout", "1s")
			id, token := s.newToken("laptop")
			require.Equal(t, 200, s.verify(token, "127.0.0.1").status)
			require.Equal(t, 200, s.get("GET", "/readyz", "").status)

			require.NoError(t, d.stop())
			unavailable := func(a answer) bool {
				return a.status == 503 && bytes.Contains([]byte(a.body), []byte(`"serviceUnavailable"`))
			}
			// The cache stops answering after its short TTL.
			eventually(t, func() bool { return unavailable(s.verify(token, "127.0.0.1")) }, "verifications are unavailable")
			for about, a := range map[string]answer{
				"readiness": s.get("GET", "/readyz", ""),
				"a read":    s.do("GET", "/tokens/named/"+id, "", "X-Auth-Token", token),
				"a write":   s.do("POST", "/user/tokens/named", `{"name": "another"}`, "X-Auth-Token", token),
				"a log-in":  s.do("GET", "/user/client_tokens", "", "Authorization", basic("demo", s.password)),
				"a forgery": s.verify(s.token, "127.0.0.1"),
			} {
				require.True(t, unavailable(a), "%s is answered with %d %s", about, a.status, a.body)
				require.NotContains(t, a.body, "127.0.0.1", "nothing of the environment shows")
			}
			require.Equal(t, 200, s.get("GET", "/healthz", "").status, "the process itself is well")

			require.NoError(t, d.start())
			eventually(t, func() bool { return s.verify(token, "127.0.0.1").status == 200 }, "verifications are back")
			eventually(t, func() bool { return s.get("GET", "/readyz", "").status == 200 }, "the service is ready")
			require.Equal(t, 201, s.do("POST", "/user/tokens/named", `{"name": "another"}`, "X-Auth-Token", token).status)
			s.stop()
			log := s.log.String()
			failed := strings.Count(log, "status=503")
			require.NotZero(t, failed)
			require.Equal(t, failed, strings.Count(log, `msg="request failed" reference=`), "causes logged: one for each 5xx")
			require.Contains(t, log, `msg="the store is not ready" error=`)
		})
	}
}
