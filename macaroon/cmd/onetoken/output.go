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
