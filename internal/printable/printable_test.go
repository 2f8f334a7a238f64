package printable_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/printable"
)

// hostile contains characters that control a terminal or mislead a reader: C0,
// DEL, C1, overrides and isolates of direction, characters without a width,
// tags above the basic plane, and bytes that are not UTF-8.
const hostile = "a\x1b[2J\x07\x7f\u009b31m\u0085\u202e\u2066\u2069\u200b\u200d\ufeff\u2028\u00ad\U000e0041\xff\xc2b\tc"

func requirePlain(t *testing.T, text string) {
	t.Helper()
	for i, r := range text {
		require.True(t, unicode.IsPrint(r), "%U at %d of %q", r, i, text)
	}
}

func TestHostileTextDoesNotReachTheTerminal(t *testing.T) {
	t.Parallel()
	requirePlain(t, printable.Quote(hostile))
	requirePlain(t, printable.Escape(hostile))
	require.Equal(t, `a\u001b[2J\u0007\u007f\u009b31m\u0085\u202e\u2066\u2069\u200b\u200d\ufeff\u2028\u00ad\udb40\udc41\ufffd\ufffdb\u0009c`,
		printable.Escape(hostile))
	for _, fine := range []string{"", "time < 5", "Kraków 東京 😀", "\"\\", "\ufffd"} {
		require.Equal(t, fine, printable.Quote(fine))
		require.Equal(t, fine, printable.Escape(fine))
	}
}

func TestEscapedJSONIsTheSameJSON(t *testing.T) {
	t.Parallel()
	value := map[string]string{"text" + strings.ToValidUTF8(hostile, "?"): strings.ToValidUTF8(hostile, "?")}
	raw, err := json.Marshal(value)
	require.NoError(t, err)
	escaped := printable.Escape(string(raw))
	requirePlain(t, escaped)
	var back map[string]string
	require.NoError(t, json.Unmarshal([]byte(escaped), &back))
	require.Equal(t, value, back)
}

// The handlers of slog alone do not escape all of these characters.
func TestLogLinesAreEscaped(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := printable.NewWriter(&out)
	for _, handler := range []slog.Handler{slog.NewJSONHandler(w, nil), slog.NewTextHandler(w, nil)} {
		log := slog.New(handler)
		log.Info("message"+hostile, "key", hostile, "key"+hostile, "x", "err", errors.New(hostile), "del", "\x7f", "any", []string{hostile})
	}
	lines := strings.Split(out.String(), "\n")
	require.Len(t, lines, 3)
	require.Empty(t, lines[2])
	for _, line := range lines {
		requirePlain(t, line)
	}
	require.True(t, json.Valid([]byte(lines[0])))

	n, err := printable.NewWriter(&out).Write([]byte("x\x7f\n"))
	require.NoError(t, err)
	require.Equal(t, 3, n)
	_, err = printable.NewWriter(broken{}).Write([]byte("x\n"))
	require.ErrorIs(t, err, errBroken)
}

var errBroken = errors.New("broken")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }
