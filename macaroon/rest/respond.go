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
	"github.com/onezone-go/onezone/internal/operational"
	"github.com/onezone-go/onezone/macaroon"
)

const jsonType = "application/json"

// The challenges of 401 responses (RFC 9110, section 11.6.1).
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

// Headers that all responses share, because nothing modifies the values of a
// header.
var (
	originHeader   = []string{"*"}
	jsonTypeHeader = []string{jsonType}
	nosniffHeader  = []string{"nosniff"}
	noStoreHeader  = []string{"no-store"}
)

// respond writes a response with a JSON body. It panics if the body cannot be
// encoded, which is a bug or damage in the store; [handler.ServeHTTP] logs the
// panic and answers the request.
func respond(w http.ResponseWriter, status int, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Errorf("encode the answer: %w", err))
	}
	respondEncoded(w, status, data)
}

// respondEncoded writes a response with an encoded JSON body.
func respondEncoded(w http.ResponseWriter, status int, data []byte) {
	h := w.Header()
	h["Content-Type"], h["X-Content-Type-Options"] = jsonTypeHeader, nosniffHeader
	h["Content-Length"] = contentLength(len(data))
	w.WriteHeader(status)
	_, _ = w.Write(data)
}

// contentLengths are the values of the header Content-Length of short responses.
var contentLengths = func() (headers [256][]string) {
	for n := range headers {
		headers[n] = []string{strconv.Itoa(n)}
	}
	return headers
}()

// contentLength returns the value of the header Content-Length, which nothing may
// modify.
func contentLength(n int) []string {
	if n < len(contentLengths) {
		return contentLengths[n]
	}
	return []string{strconv.Itoa(n)}
}

// WriteError writes an error as the token API does, for handlers behind
// [Authenticate]. Errors of the catalogue get their envelope and status. All
// other errors get 503 serviceUnavailable without their text, and Retry-After if
// one of their chain has a method RetryAfter() time.Duration. It does not log:
// the handler should log the causes of 5xx responses.
func WriteError(w http.ResponseWriter, err error) { (&config{}).fail(w, nil, err) }

// fail writes an error response. It does not show operational errors, and logs
// the cause of a 5xx response once.
func (c *config) fail(w http.ResponseWriter, r *http.Request, err error) {
	w.Header()["Cache-Control"] = noStoreHeader
	if throttled, ok := errors.AsType[macaroon.ThrottledError](err); ok {
		setRetryAfter(w, throttled.Wait)
		respond(w, http.StatusTooManyRequests, errors.Envelope{Error: errors.TemporaryFailure()})
		return
	}
	if busy, ok := errors.AsType[busyError](err); ok {
		if busy == errOverloaded {
			c.logFault(r, err)
		}
		setRetryAfter(w, retryAfter)
		respond(w, int(busy), errors.Envelope{Error: errors.TemporaryFailure()})
		return
	}
	e := catalogued(err)
	if e == nil || e.HTTPStatus() >= http.StatusInternalServerError {
		c.logFault(r, err)
	}
	if e == nil {
		e = unavailable(err)
		if wait, ok := operational.RetryAfter(err); ok {
			setRetryAfter(w, wait)
		}
	}
	status := e.HTTPStatus()
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", c.challenge())
	}
	respond(w, status, errors.Envelope{Error: e})
}

// setRetryAfter says after which time a request may succeed, in whole seconds.
func setRetryAfter(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
}

// catalogued returns the error of the catalogue in the chain of err, nil if err
// is operational. The whole chain counts, because callers wrap the errors of
// stores.
func catalogued(err error) *errors.Error {
	e, _ := errors.AsType[*errors.Error](err)
	return e
}

// logFault logs the cause of a 5xx response. A client that has disconnected is
// logged at debug level only. It does nothing if r is nil, for [WriteError].
func (c *config) logFault(r *http.Request, err error) {
	switch {
	case r == nil:
	case errors.Is(err, context.Canceled) && r.Context().Err() != nil:
		c.reportAt(slog.LevelDebug, r, "the client left", "error", err)
	default:
		c.report(r, "request failed", "error", err)
	}
}

// unavailable returns the error to show for an operational error.
func unavailable(err error) *errors.Error {
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.Timeout()
	}
	return errors.ServiceUnavailable()
}

// report logs a failed request, and returns the reference of the log line.
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
