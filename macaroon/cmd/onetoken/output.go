package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	// Whether a stream is a terminal, and passwords that do not show while they
	// are typed. The standard library has neither.
	"golang.org/x/term"

	"github.com/onezone-go/onezone/internal/printable"
	"github.com/onezone-go/onezone/macaroon"
)

// isTerminal reports whether the stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// highlight returns a mark for the output: in red on a terminal, unless the
// variable NO_COLOR is set.
func (p process) highlight(mark string) string {
	if p.getenv("NO_COLOR") == "" && p.isTerminal(p.out) {
		return "\x1b[31m" + mark + "\x1b[0m"
	}
	return mark
}

// json declares the flag --json.
func (f *flags) json(what string) *bool { return f.Bool("json", false, "print "+what+" as JSON") }

// printJSON prints a value as a line of JSON.
func (p process) printJSON(v any) error {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	return write(p.out, printable.Escape(strings.TrimSuffix(b.String(), "\n"))+"\n")
}

// say prints a line of results.
func (p process) say(format string, args ...any) error {
	return write(p.out, printable.Escape(fmt.Sprintf(format, args...))+"\n")
}

// printTable prints rows, aligned on a terminal and separated by tabs elsewhere.
// Unprintable characters are escaped.
func (p process) printTable(rows [][]string) error {
	return printable.Table(p.out, p.isTerminal(p.out), rows)
}

// printToken prints the text of a token. It is the only function that does.
func (p process) printToken(token macaroon.Token, asJSON bool) error {
	if !asJSON {
		return write(p.out, token.String()+"\n")
	}
	view := struct {
		ID         string              `json:"tokenId"`
		Token      macaroon.Credential `json:"token"`
		Caveats    []string            `json:"caveats"`
		ValidUntil *int64              `json:"validUntil,omitempty"` // Unix seconds
	}{token.ID(), macaroon.Credential{Token: token}, append([]string{}, token.Caveats()...), nil}
	if until, ok := token.Expiry(); ok {
		view.ValidUntil = &until
	}
	return p.printJSON(view)
}
