package rest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
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
	noStoreHeader  = []string{"no-store"}
)

// respond writes an answer with a JSON body. A body that cannot be encoded is a
// bug, or damage in the store: the panic is logged and answered by
// [handler.ServeHTTP].
func respond(w http.ResponseWriter, status int, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Errorf("encode the answer: %w", err))
	}
	h := w.Header()
	h["Content-Type"], h["X-Content-Type-Options"] = jsonTypeHeader, nosniffHeader
	h["Content-Length"] = []string{strconv.Itoa(len(data))}
	w.WriteHeader(status)
	_, _ = w.Write(data)
}

// WriteError answers as the token API does, for the handlers behind
// [Authenticate]: with the envelope and status of an error of the catalogue, and
// with 503 serviceUnavailable for every other error, of which it shows nothing. It
// logs nothing: the handler that calls it should log the causes of 5xx answers.
func WriteError(w http.ResponseWriter, err error) { (&config{}).fail(w, nil, err) }

// fail answers with an error of the catalogue. Operational errors are not shown.
// The cause of every 5xx answer is logged here, once.
func (c *config) fail(w http.ResponseWriter, r *http.Request, err error) {
	w.Header()["Cache-Control"] = noStoreHeader
	if throttled, ok := errors.AsType[macaroon.ThrottledError](err); ok {
		tryLater(w, http.StatusTooManyRequests, throttled.Wait)
		return
	}
	if busy, ok := errors.AsType[busyError](err); ok {
		if busy == errOverloaded {
			c.logFault(r, err)
		}
		tryLater(w, int(busy), retryAfter)
		return
	}
	e := catalogued(err)
	if e == nil || e.HTTPStatus() >= http.StatusInternalServerError {
		c.logFault(r, err)
	}
	if e == nil {
		e = unavailable(err)
	}
	status := e.HTTPStatus()
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", c.challenge())
	}
	respond(w, status, errors.Envelope{Error: e})
}

// tryLater answers a request that may succeed after the wait.
func tryLater(w http.ResponseWriter, status int, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	respond(w, status, errors.Envelope{Error: errors.TemporaryFailure()})
}

// catalogued returns the error of the catalogue that err is about, nil where it
// is about the environment. Callers below wrap what a store reports in a verb
// phrase, so the chain counts.
func catalogued(err error) *errors.Error {
	e, _ := errors.AsType[*errors.Error](err)
	return e
}

// logFault logs the cause of a 5xx answer. That the client has left is no fault:
// nobody is there to read the answer. Without a request, logging is the caller's.
func (c *config) logFault(r *http.Request, err error) {
	switch {
	case r == nil:
	case errors.Is(err, context.Canceled) && r.Context().Err() != nil:
		c.reportAt(slog.LevelDebug, r, "the client left", "error", err)
	default:
		c.report(r, "request failed", "error", err)
	}
}

// unavailable returns what is shown of an operational error.
func unavailable(err error) *errors.Error {
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.Timeout()
	}
	return errors.ServiceUnavailable()
}

// report logs what went wrong with a request, and returns the reference by which
// it is found.
func (c *config) report(r *http.Request, what string, args ...any) (reference string) {
	return c.reportAt(slog.LevelError, r, what, args...)
}

func (c *config) reportAt(level slog.Level, r *http.Request, what string, args ...any) (reference string) {
	var b [5]byte
	_, _ = rand.Read(b[:]) // never fails
	reference = hex.EncodeToString(b[:])
	c.log.Log(r.Context(), level, what,
		append([]any{"reference", reference, "request", macaroon.ActorFrom(r.Context()).RequestID,
			"method", r.Method, "route", r.Pattern}, args...)...)
	return reference
}

// recovered answers a request whose handler panicked.
func (c *config) recovered(w http.ResponseWriter, r *http.Request, reason any) {
	reference := c.report(r, "request panicked", "panic", reason, "stack", string(debug.Stack()))
	respond(w, http.StatusInternalServerError, errors.Envelope{Error: errors.InternalServerError(reference)})
}
