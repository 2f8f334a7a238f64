package main

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAPlainLogLineIsThatOfSlog(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", 5400)
	times := []time.Time{
		time.Unix(1_700_000_000, 0).UTC(), time.Unix(1_700_000_000, 999_999_999).UTC(), time.Unix(1_700_000_000, 120_000_000).In(zone), time.Unix(1_700_000_000, 999_999).In(zone),
	}
	attrs := []slog.Attr{
		slog.String("method", "GET"), slog.String("route", "/api/v3/onezone/tokens/named/{id}"), slog.Int("status", 200), slog.Int("bytes", 0),
		slog.Float64("fraction", 0.001), slog.Float64("zero", 0), slog.Float64("large", 1234567.891), slog.Float64("whole", 90000),
		slog.String("client", "2001:db8::1"), slog.String("peer", "[2001:db8::1]:1234"), slog.String("tokens", "a,b"), slog.String("long", string(bytes.Repeat([]byte("x"), 3000))),
	}
	for format, style := range lineStyles {
		for _, at := range times {
			line, ok := style.appendPlain(nil, at, "request", attrs)
			require.True(t, ok)
			require.Equal(t, slogLine(t, format, at, attrs), string(line))
		}
	}
}

func TestALogLineThatIsNotPlainIsLeftToSlog(t *testing.T) {
	t.Parallel()
	for format, style := range lineStyles {
		for _, a := range []slog.Attr{
			slog.String("k", ""), slog.String("k", "a b"), slog.String("k", `"`), slog.String("k", `\`), slog.String("k", "a=b"), slog.String("k", "é"),
			slog.String("k", "\n"), slog.String("k", "\x7f"), slog.String("k", "\u202e"), slog.String("k", "<"), slog.Bool("k", true), slog.Any("k", t),
		} {
			_, ok := style.appendPlain(nil, time.Time{}, "request", []slog.Attr{a})
			require.False(t, ok, "%s: %v", format, a)
		}
	}
}

// slogLine returns the line that package slog writes.
func slogLine(t *testing.T, format string, at time.Time, attrs []slog.Attr) string {
	t.Helper()
	var out bytes.Buffer
	record := slog.NewRecord(at, slog.LevelInfo, "request", 0)
	record.AddAttrs(attrs...)
	require.NoError(t, newLogger(&out, format, slog.LevelInfo).Handler().Handle(context.Background(), record))
	return out.String()
}

func BenchmarkRequestLine(b *testing.B) {
	style, at := lineStyles["text"], time.Now()
	attrs := []slog.Attr{
		slog.String("method", "POST"), slog.String("route", "/api/v3/onezone/tokens/verify_access_token"), slog.Int("status", 200), slog.Int("bytes", 82),
		slog.Float64("duration_ms", 0.123), slog.String("client", "192.0.2.1"), slog.String("peer", "192.0.2.1:53422"),
		slog.String("request", "01a22841-c96e-779a-87eb-c9ed9658d367"), slog.String("tokens", "212c17a4b16a42cb832794c05e552eb7"),
	}
	var out bytes.Buffer
	log := newLogger(&out, "text", slog.LevelInfo)
	b.Run("plain", func(b *testing.B) {
		var line [1024]byte
		for b.Loop() {
			_, _ = style.appendPlain(line[:0], at, "request", attrs)
		}
	})
	b.Run("slog", func(b *testing.B) {
		for b.Loop() {
			out.Reset()
			log.LogAttrs(context.Background(), slog.LevelInfo, "request", attrs...)
		}
	})
}
