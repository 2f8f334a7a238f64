package main

import (
	"context"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/printable"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// newLogger returns a log that escapes control characters and changes of
// direction. Package slog does not escape all of them.
func newLogger(out io.Writer, format string, level slog.Leveler) *slog.Logger {
	out = printable.NewWriter(out)
	options := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(out, options))
	}
	return slog.New(slog.NewTextHandler(out, options))
}

// access is the log line of a request. It has the route but never the path, and
// ids of tokens but never their texts.
type access struct {
	http.ResponseWriter
	status int
	bytes  int
	tokens []string // ids of the tokens in the request
	reason string   // why a token or password was refused
	actor  macaroon.Actor
}

// WriteHeader records the status.
func (a *access) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write records the size.
func (a *access) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	n, err := a.ResponseWriter.Write(b)
	a.bytes += n
	return n, err
}

// Unwrap is for http.ResponseController.
func (a *access) Unwrap() http.ResponseWriter { return a.ResponseWriter }

type accessKey struct{}

// observe counts an event of the authority, and records it for the log line of
// the request.
func (v *service) observe(ctx context.Context, e macaroon.Event) {
	v.metrics.Observe(ctx, e)
	logEvent(ctx, v.log, e)
	v.audit.write(e, "")
	a, ok := ctx.Value(accessKey{}).(*access)
	if !ok {
		return
	}
	if e.TokenID != "" && len(a.tokens) < maxLoggedTokens {
		a.tokens = append(a.tokens, clipped(e.TokenID))
	}
	if refused, ok := errors.AsType[*errors.Error](e.Err); ok {
		a.reason = string(refused.ID)
	}
}

// noteActor records the client of a request for its log line.
func noteActor(ctx context.Context, actor macaroon.Actor) {
	if a, ok := ctx.Value(accessKey{}).(*access); ok {
		a.actor = actor
	}
}

// Limits on the text from a client in the log.
const (
	maxLoggedTokens = 8  // of one request
	maxLoggedText   = 64 // bytes of an id or method
)

func clipped(text string) string {
	if len(text) > maxLoggedText {
		return text[:maxLoggedText] + "..."
	}
	return text
}

// logged logs a line for each request.
func (v *service) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !v.log.Enabled(r.Context(), slog.LevelInfo) {
			next.ServeHTTP(w, r)
			return
		}
		start := time.Now()
		a := &access{ResponseWriter: w}
		r = r.WithContext(context.WithValue(r.Context(), accessKey{}, a))
		defer func() { // also if the handler aborts the connection
			attrs := make([]slog.Attr, 0, 13)
			attrs = append(attrs,
				slog.String("method", clipped(r.Method)),
				slog.String("route", r.Pattern),
				slog.Int("status", a.status),
				slog.Int("bytes", a.bytes),
				slog.Float64("duration_ms", milliseconds(time.Since(start))),
				slog.String("client", client(r, v.settings.proxies)),
				slog.String("peer", r.RemoteAddr),
			)
			attrs = appendActor(attrs, a.actor)
			if len(a.tokens) > 0 {
				attrs = append(attrs, slog.String("tokens", strings.Join(a.tokens, ",")))
			}
			if a.reason != "" {
				attrs = append(attrs, slog.String("refused", a.reason))
			}
			v.log.LogAttrs(r.Context(), slog.LevelInfo, "request", attrs...)
		}()
		next.ServeHTTP(a, r)
	})
}

// client returns the address of the client of a request, "" if it is unknown.
func client(r *http.Request, proxies []netip.Prefix) string {
	if addr := rest.ClientAddress(r, proxies...); addr.IsValid() {
		return addr.String()
	}
	return ""
}

// errorLog returns a logger for the errors of a server.
func errorLog(l *slog.Logger) *log.Logger { return slog.NewLogLogger(l.Handler(), slog.LevelWarn) }

// milliseconds returns a duration for the log.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// storeKind returns the scheme of the URL of a store, without the rest, which
// can hold a password.
func storeKind(url string) string {
	scheme, _, _ := strings.Cut(url, ":")
	return scheme
}
