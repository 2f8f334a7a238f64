package rest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/onezone-go/onezone/errors"
)

const jsonType = "application/json"

// What every 401 answer asks for (RFC 9110, section 11.6.1).
const (
	bearerChallenge = `Bearer realm="onezone"`
	basicChallenge  = `Basic realm="onezone", charset="UTF-8"`
)

func (c *config) challenge() string {
	if c.noBasic {
		return bearerChallenge
	}
	return bearerChallenge + ", " + basicChallenge
}

// Headers that are the same in all answers, and shared by them: nothing writes
// into the values of a header.
var (
	originHeader   = []string{"*"}
	jsonTypeHeader = []string{jsonType}
	nosniffHeader  = []string{"nosniff"}
)

// respond writes an answer with a JSON body.
func respond(w http.ResponseWriter, status int, body any) {
	data, err := json.Marshal(body)
	if err != nil { // a bug: bodies are made of what marshals
		status = http.StatusInternalServerError
		data, _ = json.Marshal(errors.Envelope{Error: errors.InternalServerError("")})
	}
	h := w.Header()
	h["Content-Type"], h["X-Content-Type-Options"] = jsonTypeHeader, nosniffHeader
	h["Content-Length"] = []string{strconv.Itoa(len(data))}
	w.WriteHeader(status)
	_, _ = w.Write(data)
}

// confidential keeps an answer that carries a credential out of caches.
func confidential(w http.ResponseWriter) { w.Header().Set("Cache-Control", "no-store") }

// WriteError answers as the token API does, for the handlers behind
// [Authenticate]: with the envelope and status of an error of the catalogue, and
// with 503 serviceUnavailable for every other error, of which it shows nothing. It
// logs nothing: that is for the handler to do with errors of the second kind.
func WriteError(w http.ResponseWriter, err error) { (&config{}).fail(w, nil, err) }

// fail answers with an error of the catalogue. Others are faults of the
// environment, which are logged and not shown.
func (c *config) fail(w http.ResponseWriter, r *http.Request, err error) {
	var throttled throttledError
	if errors.As(err, &throttled) {
		w.Header().Set("Retry-After", strconv.Itoa(int((throttled.wait+time.Second-1)/time.Second)))
		respond(w, http.StatusTooManyRequests, errors.Envelope{Error: errors.TemporaryFailure()})
		return
	}
	e := catalogued(err)
	if e == nil {
		e = c.fault(r, err)
	}
	status := e.HTTPStatus()
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", c.challenge())
	}
	respond(w, status, errors.Envelope{Error: e})
}

// catalogued returns the error of the catalogue that err is about, nil where it
// is about the environment. Callers below wrap what a store reports in a verb
// phrase, so the chain counts.
func catalogued(err error) *errors.Error {
	e, _ := errors.AsType[*errors.Error](err)
	return e
}

// fault reports what the environment did: the service is not available.
func (c *config) fault(r *http.Request, err error) *errors.Error {
	if errors.Is(err, context.Canceled) { // nobody is there to read the answer
		return errors.ServiceUnavailable()
	}
	if r != nil {
		c.report(r, "request failed", "error", err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.Timeout()
	}
	return errors.ServiceUnavailable()
}

// report logs what went wrong with a request, and returns the reference by which
// it is found.
func (c *config) report(r *http.Request, what string, args ...any) (reference string) {
	var b [5]byte
	_, _ = rand.Read(b[:]) // never fails
	reference = hex.EncodeToString(b[:])
	c.log.ErrorContext(r.Context(), what,
		append([]any{"reference", reference, "method", r.Method, "route", r.Pattern}, args...)...)
	return reference
}

// recovered answers a request whose handler panicked.
func (c *config) recovered(w http.ResponseWriter, r *http.Request, reason any) {
	reference := c.report(r, "request panicked", "panic", reason, "stack", string(debug.Stack()))
	respond(w, http.StatusInternalServerError, errors.Envelope{Error: errors.InternalServerError(reference)})
}
