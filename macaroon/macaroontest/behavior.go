package macaroontest

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"github.com/onezone-go/onezone/macaroon/rest"
)

// Behavior is how a [Remote] treats a request. The zero Behavior answers it as
// a working Onezone.
type Behavior struct {
	// Path limits the behavior to one path of the API, such as
	// "/tokens/verify_access_token". Requests to other paths are answered as by
	// a working Onezone. "" is every path.
	Path string
	// Delay is the time that passes before the answer.
	Delay time.Duration
	// Hang leaves the request without an answer.
	Hang bool
	// Reset closes the connection instead of answering.
	Reset bool
	// Status, Header and Body are the answer in place of the Onezone's. The
	// answer is the Onezone's if Status is 0.
	Status int
	Header http.Header
	Body   string
	// Cut closes the connection in the middle of the body of the answer.
	Cut bool
}

// Unavailable returns the behavior of an Onezone that answers each request with
// 503 serviceUnavailable.
func Unavailable() Behavior {
	return Behavior{
		Status: http.StatusServiceUnavailable,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   `{"error":{"id":"serviceUnavailable","description":"Service unavailable."}}`,
	}
}

// TooManyRequests returns the behavior of an Onezone that answers each request
// with 429 temporaryFailure, and asks the client to wait for that number of seconds.
func TooManyRequests(retryAfter int) Behavior {
	return Behavior{
		Status: http.StatusTooManyRequests,
		Header: http.Header{"Content-Type": {"application/json"}, "Retry-After": {strconv.Itoa(retryAfter)}},
		Body:   `{"error":{"id":"temporaryFailure","description":"Temporary failure."}}`,
	}
}

// Faults returns ways in which the answers of an Onezone can be broken, by name:
// answers that are not those of the API, and answers that never arrive. None of
// them says anything about a token, so a client must return an operational
// error. None of them takes time.
func Faults() map[string]Behavior {
	answer := func(body string) Behavior {
		return Behavior{Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: body}
	}
	const alice = `{"subject":{"type":"user","id":"u-alice"}`
	return map[string]Behavior{
		"service unavailable":      Unavailable(),
		"too many requests":        TooManyRequests(1),
		"bad gateway":              {Status: http.StatusBadGateway, Body: "<html>Bad Gateway</html>"},
		"400 without an error":     {Status: http.StatusBadRequest, Body: "<html>Bad Request</html>"},
		"401 of a proxy":           {Status: http.StatusUnauthorized, Body: `{"error":{"id":"unauthorized"}}`},
		"403 of a proxy":           {Status: http.StatusForbidden, Body: "<html>Forbidden</html>"},
		"404 without a body":       {Status: http.StatusNotFound},
		"204":                      {Status: http.StatusNoContent},
		"connection reset":         {Reset: true},
		"answer cut in the middle": {Cut: true},
		"empty answer":             answer(""),
		"answer that is HTML":      {Status: http.StatusOK, Header: http.Header{"Content-Type": {"text/html"}}, Body: "<html>Welcome</html>"},
		"answer without a subject": answer(`{"ttl":null}`),
		"answer without ttl":       answer(alice + `}`),
		"negative ttl":             answer(alice + `,"ttl":-1}`),
		"ttl that is a text":       answer(alice + `,"ttl":"60"}`),
		"subject of unknown type":  answer(`{"subject":{"type":"robot","id":"u-alice"},"ttl":null}`),
		"subject without an id":    answer(`{"subject":{"type":"user"},"ttl":null}`),
		"subject nobody":           answer(`{"subject":{"type":"nobody"},"ttl":null}`),
		"two answers":              answer(alice + `,"ttl":null}` + alice + `,"ttl":null}`),
		"answer of 10 MB":          answer(`{"padding":"` + strings.Repeat("x", 10<<20) + `"}`),
		"redirect":                 {Status: http.StatusTemporaryRedirect, Header: http.Header{"Location": {"http://127.0.0.1:1/"}}},
	}
}

// Behave sets how the next requests are treated: each takes the next behavior,
// and the last one stays for all further requests. Without arguments, the
// Onezone works. Requests that hang or are delayed are dropped.
//
//	r.Behave(macaroontest.Unavailable(), macaroontest.Behavior{}) // fails once
func (r *Remote) Behave(behaviors ...Behavior) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.behaviors = behaviors
	r.release()
}

// arrive adds the request to the record, and returns how to treat it and when
// that changes.
func (r *Remote) arrive(req *http.Request, body []byte) (b Behavior, changed chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	path := strings.TrimPrefix(req.URL.Path, rest.Prefix)
	r.received = append(r.received, Received{req.Method, path, req.Header.Clone(), body})
	if len(r.behaviors) > 0 && (r.behaviors[0].Path == "" || r.behaviors[0].Path == path) {
		b = r.behaviors[0]
		if len(r.behaviors) > 1 {
			r.behaviors = r.behaviors[1:]
		}
	}
	return b, r.changed
}

// answer answers a request as the behavior says.
func (r *Remote) answer(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the client left
	}
	b, changed := r.arrive(req, body)
	if !b.wait(req, changed) || b.Reset {
		panic(http.ErrAbortHandler)
	}
	handler := r.handler
	if b.Status != 0 {
		handler = http.HandlerFunc(b.write)
	}
	if b.Cut {
		handler = cut(handler)
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	handler.ServeHTTP(w, req)
}

// wait waits until the request is to be answered. It returns false if the
// request is to be dropped.
func (b Behavior) wait(req *http.Request, changed <-chan struct{}) bool {
	if b.Delay <= 0 && !b.Hang {
		return true
	}
	timer := time.NewTimer(b.Delay)
	defer timer.Stop()
	answer := timer.C
	if b.Hang {
		answer = nil
	}
	select {
	case <-answer:
		return true
	case <-changed:
	case <-req.Context().Done():
	}
	return false
}

// cut returns a handler that closes the connection in the middle of the body.
func cut(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		whole := httptest.NewRecorder()
		handler.ServeHTTP(whole, req)
		half := whole.Body.Bytes()[:whole.Body.Len()/2]
		maps.Copy(w.Header(), whole.Header())
		w.Header().Set("Content-Length", strconv.Itoa(whole.Body.Len()+1))
		w.WriteHeader(whole.Code)
		_, _ = w.Write(half)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
}

// write writes the answer of the behavior.
func (b Behavior) write(w http.ResponseWriter, _ *http.Request) {
	maps.Copy(w.Header(), b.Header)
	w.WriteHeader(b.Status)
	_, _ = io.WriteString(w, b.Body)
}
