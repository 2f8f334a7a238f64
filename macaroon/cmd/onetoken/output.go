package main

import (
	"os"

	// Whether a stream is a terminal, and passwords that do not show while they
	// are typed. The standard library has neither.
	"golang.org/x/term"
)

// isTerminal reports whether the stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// highlight returns a mark for the output: in red on a terminal, unless the
// variable NO_COLOR is set.
func (p process) highlight(mark string) string {
	if p.getenv("NO_COLOR") == "" && isTerminal(p.out) {
		return "\x1b[31m" + mark + "\x1b[0m"
	}
	return mark
}
