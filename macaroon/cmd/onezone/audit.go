package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/user"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/eventid"
	"github.com/onezone-go/onezone/macaroon"
)

// logEvent logs changes and log-ins; failed log-ins and denied requests are
// warnings. Verifications are part of the log lines of requests.
func logEvent(ctx context.Context, log *slog.Logger, e macaroon.Event) {
	level := slog.LevelInfo
	switch e.Kind {
	case macaroon.Verified, macaroon.Refused:
		return
	case macaroon.LogInFailed, macaroon.LogInThrottled, macaroon.Denied:
		level = slog.LevelWarn
	}
	if !log.Enabled(ctx, level) {
		return
	}
	attrs := append(make([]slog.Attr, 0, 12), slog.String("id", e.ID), slog.String("kind", e.Kind.String()))
	attrs = appendText(attrs, "user", e.Username)
	attrs = appendText(attrs, "subject", subjectText(e.Subject))
	attrs = appendText(attrs, "token", clipped(e.TokenID))
	attrs = appendText(attrs, "right", e.Right)
	if reason, ok := errors.AsType[*errors.Error](e.Err); ok {
		attrs = appendText(attrs, "reason", string(reason.ID))
	}
	attrs = appendActor(attrs, e.Actor)
	if e.Actor.Address.IsValid() {
		attrs = append(attrs, slog.String("client", e.Actor.Address.String()))
	}
	log.LogAttrs(ctx, level, "event", attrs...)
}

// appendActor adds the client of a request, its authentication method, and the
// id of the request.
func appendActor(attrs []slog.Attr, a macaroon.Actor) []slog.Attr {
	attrs = appendText(attrs, "actor", subjectText(a.Subject))
	attrs = appendText(attrs, "by", string(a.Method))
	attrs = appendText(attrs, "actor_token", clipped(a.TokenID))
	return appendText(attrs, "request", a.RequestID)
}

func appendText(attrs []slog.Attr, key, text string) []slog.Attr {
	if text == "" {
		return attrs
	}
	return append(attrs, slog.String(key, text))
}

// subjectText returns the text form of a subject, "" for nobody.
func subjectText(s caveat.Subject) string {
	if s.IsZero() || s == caveat.Nobody() {
		return ""
	}
	return s.String()
}

// asCommand returns a context whose events have a command on this machine as
// their actor.
func asCommand(ctx context.Context) context.Context {
	return macaroon.WithActor(ctx, macaroon.Actor{Method: macaroon.ByCommand, RequestID: eventid.New()})
}

// operator returns the account of the operating system that runs the program.
func operator() string {
	account, err := user.Current()
	if err != nil {
		return fmt.Sprint("uid ", os.Getuid())
	}
	return account.Username
}
