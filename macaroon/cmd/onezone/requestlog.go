package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// logged logs a line for each request.
func (v *service) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !v.log.Enabled(r.Context(), slog.LevelInfo) {
			next.ServeHTTP(w, r)
			return
		}
		a := &access{ResponseWriter: w, start: time.Now()}
		a.tokens = a.first[:0]
		*r = *r.WithContext(context.WithValue(r.Context(), accessKey{}, a)) // the server does not look at it again
		defer v.logRequest(a, r)                                            // also if the handler aborts the connection
		next.ServeHTTP(a, r)
	})
}

// access is the log line of a request. It has the route but never the path, and
// ids of tokens but never their texts.
type access struct {
	http.ResponseWriter
	start  time.Time
	status int
	bytes  int
	tokens []string  // ids of the tokens in the request
	first  [1]string // the memory of tokens, for most requests
	reason string    // why a token or password was refused
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

// logRequest logs the line of a request that ends.
func (v *service) logRequest(a *access, r *http.Request) {
	end := time.Now()
	client := a.actor.Address
	if !client.IsValid() { // not a request to the API
		client = rest.ClientAddress(r, v.settings.proxies...)
	}
	var space [16]slog.Attr
	attrs := append(space[:0],
		slog.String("method", clipped(r.Method)),
		slog.String("route", r.Pattern),
		slog.Int("status", a.status),
		slog.Int("bytes", a.bytes),
		slog.Float64("duration_ms", milliseconds(end.Sub(a.start))),
		slog.String("client", addressText(client)),
		slog.String("peer", r.RemoteAddr),
	)
	attrs = appendActor(attrs, a.actor)
	attrs = appendText(attrs, "tokens", strings.Join(a.tokens, ","))
	attrs = appendText(attrs, "refused", a.reason)
	const message = "request"
	var line [1024]byte
	if text, ok := v.lineStyle.appendPlain(line[:0], end, message, attrs); ok {
		_, _ = v.lines.Write(text)
		return
	}
	v.log.LogAttrs(r.Context(), slog.LevelInfo, message, attrs...)
}

// addressText returns an address, "" if it is unknown.
func addressText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// lineStyle is what surrounds the values of a log line.
type lineStyle struct {
	time, message  string // before the value; the level is INFO
	key, value     string // before a key and a value
	quote          string // around texts
	end            string
	floats         byte // format of package strconv
	wholeFractions bool // of seconds, otherwise milliseconds
}

// lineStyles are the styles of package slog.
var lineStyles = map[string]lineStyle{
	"text": {time: "time=", message: " level=INFO msg=", key: " ", value: "=", end: "\n", floats: 'g'},
	"json": {
		time: `{"time":"`, message: `","level":"INFO","msg":`, key: `,"`, value: `":`, quote: `"`, end: "}\n", floats: 'f', wholeFractions: true,
	},
}

// appendPlain appends the log line that package slog would write, which takes
// several times as long. ok is false if slog would quote or escape a text, and for
// values that are neither texts nor numbers.
func (s *lineStyle) appendPlain(line []byte, t time.Time, message string, attrs []slog.Attr) (result []byte, ok bool) {
	line = append(line, s.time...)
	if from := len(line); s.wholeFractions {
		line = t.AppendFormat(line, time.RFC3339Nano)
	} else {
		// A tenth of a millisecond more, so that the layout, which package time
		// formats fastest, has all three digits; and then without the fourth.
		line = t.Truncate(time.Millisecond).Add(time.Millisecond/10).AppendFormat(line, time.RFC3339Nano)
		const kept = len("2006-01-02T15:04:05.000")
		line = append(line[:from+kept], line[from+kept+1:]...)
	}
	line = append(append(append(append(line, s.message...), s.quote...), message...), s.quote...)
	for _, a := range attrs {
		line = append(append(append(line, s.key...), a.Key...), s.value...)
		switch a.Value.Kind() {
		case slog.KindString:
			text := a.Value.String()
			if !isPlainText(text) {
				return nil, false
			}
			line = append(append(append(line, s.quote...), text...), s.quote...)
		case slog.KindInt64:
			line = strconv.AppendInt(line, a.Value.Int64(), 10)
		case slog.KindFloat64:
			line = strconv.AppendFloat(line, a.Value.Float64(), s.floats, -1, 64)
		default:
			return nil, false
		}
	}
	return append(line, s.end...), true
}

// isPlainText reports whether no format quotes or escapes any of the text.
func isPlainText(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case c <= ' ', c > '~', c == '"', c == '\\', c == '=', c == '<', c == '>', c == '&':
			return false
		}
	}
	return text != ""
}
