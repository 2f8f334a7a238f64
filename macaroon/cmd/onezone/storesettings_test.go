package main

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/pgtest"
	"github.com/onezone-go/onezone/internal/testing/redistest"
	"github.com/onezone-go/onezone/macaroon"
)

// Stores with other schemas and prefixes share a database, and records move
// between them.
func TestStoresShareADatabase(t *testing.T) {
	t.Parallel()
	file, _ := filledStore(t)
	postgres, redis := pgtest.Own(t).URL, "redis://"+redistest.New(t).Addr
	for _, c := range []struct{ store, flag string }{{postgres, "--postgres-schema=second"}, {redis, "--redis-prefix=second:"}} {
		_, err := command(t, "user", "add", "--store", c.store, "--no-password", "carol")
		require.NoError(t, err)
		_, err = command(t, "store", "copy", c.flag, "sqlite:"+file, c.store)
		require.NoError(t, err, "the other part of the database is not empty")
		_, err = command(t, "store", "compare", c.flag, "sqlite:"+file, c.store)
		require.NoError(t, err)
		for flag, want := range map[string]string{"--log-level=info": "carol", c.flag: "alice"} {
			out, err := command(t, "user", "list", "--store", c.store, flag)
			require.NoError(t, err)
			require.Contains(t, out, want)
			require.NotEqual(t, strings.Contains(out, "alice"), strings.Contains(out, "carol"))
		}
	}
}

// Each setting reaches its store.
func TestSettingsOfDatabasesTakeEffect(t *testing.T) {
	t.Parallel()
	postgres, server := pgtest.Own(t).URL, redistest.New(t)
	redis := "redis://" + server.Addr
	_, err := command(t, "user", "add", "--store", redis, "--redis-wait-replicas=1", "--no-password", "alice")
	require.ErrorContains(t, err, "replica", "there is none")

	for setting, value := range map[string]string{"maxmemory": "100mb", "maxmemory-policy": "allkeys-lru"} {
		_, err := server.Do("CONFIG", "SET", setting, value)
		require.NoError(t, err)
	}
	_, err = command(t, "user", "list", "--store", redis)
	require.ErrorContains(t, err, "set maxmemory-policy to noeviction")
	require.ErrorContains(t, err, "; here that is --redis-allow-eviction")
	_, err = command(t, "user", "add", "--store", redis, "--redis-allow-eviction", "--no-password", "bob")
	require.NoError(t, err)

	_, err = command(t, "store", "migrate", "--store", postgres, "--postgres-feed=false")
	require.NoError(t, err)
	s, end := inProcess(t, "--store", postgres, "--postgres-feed=false", "--cache-ttl", "1s", "--cache-entries", "10", "--recognized-tokens", "0")
	require.Equal(t, 200, s.verify(s.token, "127.0.0.1").status)
	require.Contains(t, s.metrics(), "\nonezone_cache_feed_up 0\n")
	end()

	file := filepath.Join(t.TempDir(), "onezone.db")
	_, err = order(t, file, "", "user", "add", "--no-password", "--sqlite-synchronous=normal", "alice")
	require.NoError(t, err)
}

// Passwords can be turned off, and the inheritance of caveats, which the original
// lacks.
func TestTheAPICanBeOpenedAndClosed(t *testing.T) {
	t.Parallel()
	file := userStore(t)
	_, err := order(t, file, "correct horse\n", "user", "add", "alice")
	require.NoError(t, err)
	confined := issue(t, file, "--user", "alice", "--name", "confined", "--caveat", "ip = 127.0.0.0/8").Token
	for name, c := range map[string]struct {
		args      []string
		status    int
		says      string
		inherited bool
	}{
		"by default":          {nil, 200, "alice", true},
		"without passwords":   {[]string{"--basic-auth=false"}, 401, "basicAuthNotSupported", true},
		"without inheritance": {[]string{"--inherit-caveats=false"}, 200, "alice", false},
	} {
		s, end := withoutDemo(t, append([]string{"--store", "sqlite:" + file}, c.args...)...)
		a := s.do("GET", "/user", "", "Authorization", basic("alice", "correct horse"))
		require.Equal(t, c.status, a.status, "%s: %s", name, a.body)
		require.Contains(t, a.body, c.says, name)
		a = s.do("POST", "/user/tokens/temporary", `{"caveats": [{"type": "time", "validUntil": `+fmt.Sprint(time.Now().Add(time.Hour).Unix())+`}]}`,
			"X-Auth-Token", confined)
		require.Equal(t, 201, a.status, a.body)
		made, err := macaroon.Parse(field(t, a.body, "token"))
		require.NoError(t, err)
		require.Equal(t, c.inherited, slices.Contains(made.Caveats(), "ip = 127.0.0.0/8"), name)
		end()
	}
	_, err = parsed(t, unset, "--basic-auth=false", "--demo")
	require.ErrorContains(t, err, "--demo creates a user with a password, which --basic-auth=false does not accept")
}

// withoutDemo runs the service in this process, without a demo user.
func withoutDemo(t *testing.T, args ...string) (s *server, end func()) {
	t.Helper()
	s = &server{t: t, client: &http.Client{Transport: &http.Transport{}, Timeout: patience}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		args := append([]string{"serve", "--address", "127.0.0.1:0", "--admin-address", s.newAdmin(), "--drain", "0s"}, args...)
		ended <- run(ctx, args, stdio{strings.NewReader(""), &s.out, &s.log}, unset)
	}()
	eventually(t, func() bool { return s.hasLogged("msg=serving") }, "the service serves")
	_, url, _ := strings.Cut(s.log.String(), "url=")
	s.url = printedURL.FindString(url)
	return s, func() {
		t.Helper()
		s.client.CloseIdleConnections()
		cancel()
		require.NoError(t, <-ended)
	}
}
