package main

import (
	"context"
	"io"
	"log"
	"log/slog"
	"strings"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/printable"
	"github.com/onezone-go/onezone/macaroon"
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
