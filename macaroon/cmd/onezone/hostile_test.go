package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// vandal makes bad requests.
type vandal struct {
	*rand.Rand
	token string // a valid token
}

func (v vandal) pick(list ...string) string { return list[v.IntN(len(list))] }

// noise returns random text of up to n characters.
func (v vandal) noise(n int) string {
	alphabet := v.pick("abcXYZ0123456789", `{}[]",:0123456789eE+-. truefalsn\u`, "\t%/|<>&;' ~", "\x80\xff\xc3\xa9\xf0\x9f")
	b := make([]byte, v.IntN(n+1))
	for i := range b {
		b[i] = alphabet[v.IntN(len(alphabet))]
	}
	return string(b)
}

// request returns the text of a request. broken reports whether it is not HTTP,
// so that net/http answers.
func (v vandal) request() (text string, broken bool) {
	method, path, headers, body := "POST", rest.Prefix+"/tokens/"+v.pick("examine", "confine", "verify_access_token"), "", ""
	const isJSON = "Content-Type: application/json\r\n"
	switch v.IntN(8) {
	case 0: // a body that is not JSON
		headers, body = isJSON, v.pick("{", "[", "!", "{\"token\":", "\x00", "{}{")+v.noise(200)
		if json.Valid([]byte(body)) {
			body = "!"
		}
	case 1: // JSON of the wrong kind
		text, _ := json.Marshal(strings.ToValidUTF8(v.noise(100), ""))
		headers, body = isJSON, `{"token":`+v.pick("null", "5", "{}", "[]", `""`, string(text), `"`+v.token[:v.IntN(len(v.token))]+`"`)+`,"caveats":[]}`
	case 2: // a token that was changed after the location, which is not signed
		tampered := []byte(v.token)
		tampered[32+v.IntN(len(tampered)-77)] ^= byte(1 + v.IntN(3))
		text, _ := json.Marshal(string(tampered))
		path = rest.Prefix + "/tokens/verify_access_token"
		headers, body = isJSON, `{"token":`+string(text)+`}`
	case 3: // bad credentials
		method, path = "GET", rest.Prefix+"/user/client_tokens"
		line := strings.Map(func(r rune) rune {
			if r < ' ' {
				return 'x'
			}
			return r
		}, v.noise(300))
		headers = v.pick("X-Auth-Token: ", "Macaroon: ", "Authorization: Bearer ", "Authorization: Basic ", "X-Auth-Token: "+v.token) + line + "x\r\n"
	case 4: // an unknown path
		method = v.pick("GET", "POST", "PATCH", "DELETE")
		path = v.pick("/", "//", "/healthz/", "/metrics/", "/api/", rest.Prefix+"/", rest.Prefix+"//", rest.Prefix+"/../") +
			"x" + v.pick("", "%2e%2e", "%00", "/..", "//", "?"+strings.Repeat("q", v.IntN(1000))) + strings.Repeat("y", v.IntN(1000))
	case 5: // a method that the path does not allow
		method = v.pick("PUT", "LINK", "TRACE", "BREW", "post", strings.Repeat("M", 1+v.IntN(100)))
		path = v.pick(path, "/healthz", "/readyz", "/metrics", rest.Prefix+"/user/client_tokens", rest.Prefix+"/openapi.json")
	case 6: // other media types
		headers, body = v.pick("Content-Type: text/plain\r\n", "Content-Type: "+v.pick(";", "json", "a/b/c")+"\r\n", isJSON+"Accept: text/html\r\n"), "{}"
	case 7: // not HTTP
		return v.pick("GET", "POST") + " " + path + " HTTP/1.1\r\nHost: x\r\n" +
			v.pick("no colon", ": no name", "X\x00: y", "Content-Length: -1", "Host: y", "X : y") + "\r\n\r\n", true
	}
	if body != "" {
		headers += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	return method + " " + path + " HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n" + body, false
}

// inProcess runs the service in this process, so that leaks are noticed. end
// stops it and asserts success.
func inProcess(t *testing.T, args ...string) (s *server, end func()) {
	t.Helper()
	s = &server{t: t, client: &http.Client{Transport: &http.Transport{}, Timeout: patience}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, append([]string{"serve", "--address", "127.0.0.1:0", "--admin-address", s.newAdmin(), "--drain", "0s", "--demo"}, args...), stdio{strings.NewReader(""), &s.out, &s.log}, unset)
	}()
	eventually(t, func() bool { return printedToken.MatchString(s.out.String()) }, "the service prints what to try")
	s.url = printedURL.FindString(s.out.String())
	s.token = printedToken.FindStringSubmatch(s.out.String())[1]
	return s, func() {
		t.Helper()
		s.client.CloseIdleConnections()
		cancel()
		require.NoError(t, <-ended)
	}
}

// Every hostile request is refused with an error of the catalogue, and nothing
// leaks. The test is not parallel, so that it can count goroutines.
func TestMalformedRequestsAreRefused(t *testing.T) {
	const requests = 10_000
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP) // the first call starts a goroutine for the life of the process
	signal.Stop(signals)
	before := runtime.NumGoroutine()
	s, end := inProcess(t, "--store", "memory:")
	v := vandal{rand.New(rand.NewPCG(3, 4)), s.token}
	statuses := map[int]int{}
	var conn net.Conn
	var reader *bufio.Reader
	for range requests {
		text, broken := v.request()
		if conn == nil {
			var err error
			conn, err = net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
			require.NoError(t, err)
			reader = bufio.NewReader(conn)
		}
		require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
		_, err := io.WriteString(conn, text)
		require.NoError(t, err)
		res, err := http.ReadResponse(reader, nil)
		require.NoError(t, err, "%.300q", text)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		statuses[res.StatusCode]++
		switch {
		case broken:
			require.Equal(t, 400, res.StatusCode, "%.300q", text)
		case len(body) == 0:
			require.Contains(t, []int{404, 405, 406, 415}, res.StatusCode, "%.300q", text)
		default:
			require.True(t, res.StatusCode >= 400 && res.StatusCode < 500, "%d %s for %.600q", res.StatusCode, body, text)
			var envelope errors.Envelope
			require.NoError(t, json.Unmarshal(body, &envelope), "%s for %.300q", body, text)
			require.NotEmpty(t, envelope.Error.ID)
			if res.StatusCode != http.StatusTooManyRequests { // which is not a status of the catalogue
				require.Equal(t, res.StatusCode, envelope.Error.HTTPStatus())
			}
		}
		if res.Close || broken {
			require.NoError(t, conn.Close())
			conn = nil
		}
	}
	if conn != nil {
		require.NoError(t, conn.Close())
	}
	end()
	for line := range strings.Lines(s.log.String()) {
		require.NotContains(t, line, "level=ERROR", "nothing goes wrong inside")
		require.NotContains(t, line, "panic")
		require.Less(t, len(line), 1000, "a client cannot fill the log: %.300s", line)
	}
	require.NotContains(t, s.log.String(), s.token)
	eventually(t, func() bool { return runtime.NumGoroutine() <= before }, "no goroutine is left behind")
	var seen []int
	for status := range statuses {
		seen = append(seen, status)
	}
	slices.Sort(seen)
	require.Subset(t, seen, []int{400, 401, 404, 405, 406, 415}, "each kind of refusal came up")
	fmt.Printf("onezone: %d malformed requests, answers by status %v\n", requests, statuses)
}
