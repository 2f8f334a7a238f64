// Package printable escapes untrusted text for terminals and logs. It escapes
// control characters, escape sequences, and characters that change the
// direction of text or have no width.
package printable

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Quote returns the text unchanged if all of it is printable, and otherwise
// quoted as in Go source.
func Quote(text string) string {
	if prints(text) {
		return text
	}
	return strconv.Quote(text)
}

// Escape returns the text with unprintable characters escaped as in JSON:
// \u202e for U+202E. Bytes that are not UTF-8 become \ufffd. A JSON text keeps
// its meaning, provided that it has no white space outside strings except
// spaces.
func Escape(text string) string {
	if prints(text) {
		return text
	}
	return escape(text, false)
}

func prints(text string) bool {
	if isPlain(text) {
		return true
	}
	return !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) && utf8.ValidString(text)
}

// isPlain reports whether the text is printable ASCII, as most is.
func isPlain[T string | []byte](text T) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

func escape(text string, keepLines bool) string {
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)):
			b.WriteString(`\ufffd`)
		case unicode.IsPrint(r), keepLines && r == '\n':
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// NewWriter returns a writer that escapes unprintable characters in lines, such
// as those of a log. Each Write must contain whole characters.
func NewWriter(w io.Writer) io.Writer { return writer{w} }

type writer struct{ to io.Writer }

func (w writer) Write(line []byte) (int, error) {
	if isPlain(bytes.TrimSuffix(line, []byte("\n"))) {
		return w.to.Write(line)
	}
	text := string(line)
	if !prints(strings.TrimSuffix(text, "\n")) {
		text = escape(text, true)
	}
	if _, err := io.WriteString(w.to, text); err != nil {
		return 0, err
	}
	return len(line), nil
}
