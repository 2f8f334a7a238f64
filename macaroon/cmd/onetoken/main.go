package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/printable"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	status := run(ctx, os.Args[1:], process{os.Stdin, os.Stdout, os.Stderr, os.Getenv, isTerminal})
	stop()
	os.Exit(status)
}

// Exit statuses.
const (
	statusDone = iota
	statusRefused
	statusTrouble
)

// process holds the streams and variables of the process.
type process struct {
	in     io.Reader
	out    io.Writer
	err    io.Writer
	getenv func(string) string
	// isTerminal reports whether one of the streams is a terminal.
	isTerminal func(stream any) bool
}

// warn prints a warning; the command continues.
func (p process) warn(text string) { p.note("warning: " + text) }

// note prints a line for the user, beside the output.
func (p process) note(text string) { fmt.Fprintln(p.err, "onetoken:", printable.Escape(text)) }

// run runs the command in the arguments and returns the exit status.
func run(ctx context.Context, args []string, p process) int {
	err := execute(ctx, args, p)
	if err == nil {
		return statusDone
	}
	p.note(err.Error())
	// Errors of the catalogue are verdicts. To a script, other errors must not
	// look like a refusal.
	_, refused := errors.AsType[*errors.Error](err)
	if _, found := errors.AsType[verdict](err); found || refused {
		return statusRefused
	}
	return statusTrouble
}
