package rest_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/restcases"
	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// attacker makes requests, each with an error.
type attacker struct {
	*rand.Rand
	w      *restcases.Fixture
	routes []string
	alice  string // headers of an access token
}

// rawRequest is a request that is sent unchanged.
type rawRequest struct {
	text string
	// broken: the HTTP itself is invalid, and net/http answers.
	broken bool
}

// noise returns random text of up to n bytes.
func (a *attacker) noise(n int) string {
	alphabets := []string{"abcdefXYZ0123456789-_", "{}[]\",:0123456789eE+-. truefalsnu\\", "\x00\x01\x7f\x80\xff\xc3\xa9 \t'<>&;%/|"}
	alphabet := alphabets[a.IntN(len(alphabets))]
	b := make([]byte, a.IntN(n+1))
	for i := range b {
		b[i] = alphabet[a.IntN(len(alphabet))]
	}
	return string(b)
}

func pick[T any](a *attacker, list ...T) T { return list[a.IntN(len(list))] }

// value returns a random JSON text.
func (a *attacker) value(depth int) string {
	if depth == 0 || a.IntN(3) > 0 {
		text, _ := json.Marshal(strings.ToValidUTF8(a.noise(20), ""))
		return pick(a, "null", "true", "false", "0", "-1", "1e400", "5.0", "99999999999999999999", `""`, `"infinity"`, string(text),
			`"ozw-x"`, `"1.2.3.4"`, `"\ud800"`, `{}`, `[]`)
	}
	var items []string
	for i := range a.IntN(4) {
		item := a.value(depth - 1)
		if depth%2 == 0 {
			key, _ := json.Marshal(fmt.Sprint(pick(a, "type", "whitelist", "validUntil", "accessToken", "inviteToken", "x"), i))
			item = string(key) + ":" + item
		}
		items = append(items, item)
	}
	if depth%2 == 0 {
		return "{" + strings.Join(items, ",") + "}"
	}
	return "[" + strings.Join(items, ",") + "]"
}

// body returns a random object without a valid token or name.
func (a *attacker) body() string {
	keys := []string{"caveats", "type", "customMetadata", "revoked", "usageLimit", "privileges", "peerIp", "interface", "serviceToken",
		"consumerToken", "allowDataAccessCaveats", "expectedInviteType", "Token", "", "x"}
	a.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	bad := pick(a, "null", "5", `""`, "{}", "[]", `"x"`, `"`+strings.Repeat("M", 200)+`"`)
	members := []string{`"token":` + bad, `"name":` + pick(a, "null", "5", `""`, "{}", `"/"`)}
	for _, key := range keys[:a.IntN(5)] {
		k, _ := json.Marshal(key)
		members = append(members, string(k)+":"+a.value(4))
	}
	return "{" + strings.Join(members, ",") + "}"
}

// route returns the method and the path of a route, with random values.
func (a *attacker) route() (method, path string) {
	method, path, _ = strings.Cut(a.routes[a.IntN(len(a.routes))], " ")
	for _, name := range []string{"{id}", "{name}", "{tid}"} {
		value := "-" + a.noise(12) // not an id of anything
		path = strings.Replace(path, name, url.PathEscape(value), 1)
	}
	return method, rest.Prefix + path
}

// takesInput reports whether everybody may call the route with a body.
func takesInput(method, path string) bool {
	return method == "POST" && (strings.Contains(path, "onezone/tokens/") || strings.HasSuffix(path, "/user/tokens/named"))
}

func (a *attacker) next() rawRequest {
	method, path := a.route()
	headers, body := "", ""
	hasBody := func() { headers += "Content-Type: application/json\r\n" }
	switch kind := a.IntN(9); kind {
	case 0: // no such path
		path = pick(a, rest.Prefix+"/", rest.Prefix+"//", "/", rest.Prefix+"/tokens/", rest.Prefix+"/x/") + url.PathEscape("x"+a.noise(30)) + pick(a, "", "/", "//", "/..", "%00", "?%zz")
	case 1: // no such method
		method = pick(a, "PUT", "HEADS", "LINK", "TRACE", "BREW", "get", "POSTS")
	case 2: // bad credentials
		line := strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f {
				return 'x'
			}
			return r
		}, a.noise(200))
		headers = pick(a, "X-Auth-Token: ", "Macaroon: ", "Authorization: Bearer ", "Authorization: Basic ", "authorization: Basic ",
			a.alice+"X-Onedata-Service-Token: ", a.alice+"X-Onedata-Consumer-Token: ") + line + "\r\n"
	case 3: // other media types
		headers = a.alice + "Accept: " + pick(a, "text/html", "image/*;q=1", "application/json;q=0", ";;;") + "\r\n"
		method, path = pick(a, "GET", "DELETE"), rest.Prefix+"/user/tokens/named"
	case 4: // not JSON
		method, path = "POST", rest.Prefix+pick(a, "/tokens/examine", "/tokens/confine", "/user/client_tokens", "/user/tokens/temporary")
		headers += pick(a, "", "Content-Type: application/json\r\n", "Content-Type: "+pick(a, "text/plain", "application/xml", ";", "json")+"\r\n")
		body = "!" + a.noise(100)
		headers += pick(a, "", a.alice)
	case 5: // JSON with bad values
		for !takesInput(method, path) {
			method, path = a.route()
		}
		hasBody()
		headers += pick(a, "", a.alice)
		body = a.body()
	case 6: // without rights
		for strings.HasPrefix(path, rest.Prefix+"/tokens/") && method == "POST" || path == rest.Prefix+"/configuration" {
			method, path = a.route()
		}
		if method == "POST" || method == "PATCH" {
			hasBody()
			body = a.body()
		}
	case 7: // another user's token
		method, path = pick(a, "GET", "PATCH", "DELETE"), rest.Prefix+pick(a, "/tokens/named/", "/users/", "/providers/")+url.PathEscape("-"+a.noise(20))
		path += pick(a, "", "/status", "/tokens/named", "/tokens/temporary", "/x")
		headers = a.alice
	case 8: // not HTTP
		return rawRequest{method + " " + path + " HTTP/1.1\r\nHost: x\r\n" +
			pick(a, "X\x00: y", "no colon", ": no name", "Content-Length: -1", "Content-Length: x", "Host: y", "X: \x01", "X : y") + "\r\n\r\n", true}
	}
	if body != "" {
		headers += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	return rawRequest{method + " " + path + " HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n" + body, false}
}

// Every hostile request is refused with an error of the catalogue. The server
// does not fail, and its state does not change.
func TestHostileRequests(t *testing.T) {
	const requests = 10_000
	before := runtime.NumGoroutine()
	var logs syncbuffer.Buffer
	w := restcases.NewFixture(t, rest.WithLogger(logs.Logger()))
	server := httptest.NewUnstartedServer(w.Handler)
	server.Config.ErrorLog = log.New(&logs, "", 0)
	server.Start()
	a := &attacker{rand.New(rand.NewPCG(1, 2)), w, rest.Routes(), ""}
	r := httptest.NewRequest("GET", "/", nil)
	macaroontest.Bearer(w.Laptop)(r)
	a.alice = "X-Auth-Token: " + r.Header.Get("X-Auth-Token") + "\r\n"

	var conn net.Conn
	var reader *bufio.Reader
	statuses := map[int]int{}
	for range requests {
		req := a.next()
		if conn == nil {
			var err error
			conn, err = net.Dial("tcp", server.Listener.Addr().String())
			require.NoError(t, err)
			reader = bufio.NewReader(conn)
		}
		require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
		_, err := io.WriteString(conn, req.text)
		require.NoError(t, err)
		method, _, _ := strings.Cut(req.text, " ")
		res, err := http.ReadResponse(reader, &http.Request{Method: method})
		require.NoError(t, err, "%.300q", req.text)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		statuses[res.StatusCode]++
		require.True(t, res.StatusCode >= 400 && res.StatusCode < 500, "%d %s for %.600q", res.StatusCode, body, req.text)
		if !req.broken {
			catalogued(t, req.text, res, body)
		}
		if res.Close || req.broken {
			require.NoError(t, conn.Close())
			conn = nil
		}
	}
	if conn != nil {
		require.NoError(t, conn.Close())
	}
	server.Close()
	require.Empty(t, logs.String(), "nothing went wrong inside")
	for deadline := time.After(10 * time.Second); runtime.NumGoroutine() > before; {
		select {
		case <-time.After(time.Millisecond):
		case <-deadline:
			buf := make([]byte, 1<<16)
			t.Fatalf("%d goroutines are left behind:\n%s", runtime.NumGoroutine()-before, buf[:runtime.Stack(buf, true)])
		}
	}
	fmt.Printf("rest: %d malformed requests, answers by status %v\n", requests, statuses)
}

// catalogued asserts that a response without an empty body is an error of the
// catalogue.
func catalogued(t *testing.T, request string, res *http.Response, body []byte) {
	t.Helper()
	if len(body) == 0 {
		require.Contains(t, []int{404, 405, 406, 415}, res.StatusCode, "%.300q", request)
		return
	}
	var envelope errors.Envelope
	require.NoError(t, json.Unmarshal(body, &envelope), "%s for %.300q", body, request)
	require.Equal(t, res.StatusCode, envelope.Error.HTTPStatus(), "%s for %.300q", body, request)
	require.NotEmpty(t, envelope.Error.Description)
	require.Equal(t, "application/json", res.Header.Get("Content-Type"))
}
