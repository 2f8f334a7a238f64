// Package printable keeps foreign text from commanding a terminal: control
// characters, escape sequences, and the characters that turn the direction of
// text or have no width never reach it as they are.
package printable

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Quote returns the text as it is if all of it prints, and quoted as in Go
// source otherwise.
func Quote(text string) string {
	if prints(text) {
		return text
	}
	return strconv.Quote(text)
}

// Escape returns the text with every character that does not print written as
// JSON writes it, \u202e for U+202E. JSON stays the same JSON: outside of its
// strings there is no such character but white space, which must not be there.
// Bytes that are not UTF-8 become \ufffd.
func Escape(text string) string {
	if prints(text) {
		return text
	}
	return escape(text, false)
}

func prints(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) && utf8.ValidString(text)
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

// NewWriter returns a writer of lines, such as those of a log, that escapes what
// does not print in them. Every Write must be given whole characters.
func NewWriter(w io.Writer) io.Writer { return writer{w} }

type writer struct{ to io.Writer }

func (w writer) Write(line []byte) (int, error) {
	text := string(line)
	if !prints(strings.TrimSuffix(text, "\n")) {
		text = escape(text, true)
	}
	if _, err := io.WriteString(w.to, text); err != nil {
		return 0, err
	}
	return len(line), nil
}
