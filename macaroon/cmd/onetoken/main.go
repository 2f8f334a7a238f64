package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/printable"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv)) }

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
}

// warn prints a warning; the command continues.
func (p process) warn(text string) { fmt.Fprintln(p.err, "onetoken: warning:", printable.Escape(text)) }

// run runs the command in the arguments and returns the exit status.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer, getenv func(string) string) int {
	err := dispatch(args, process{stdin, stdout, stderr, getenv})
	if err == nil {
		return statusDone
	}
	fmt.Fprintln(stderr, "onetoken:", printable.Escape(err.Error()))
	// Errors of the catalogue are about the token. To a script, other errors
	// must not look like a refusal.
	if _, refused := errors.AsType[*errors.Error](err); refused {
		return statusRefused
	}
	return statusTrouble
}

// dispatch runs the command that the first argument names.
func dispatch(args []string, p process) error {
	if len(args) == 0 {
		return misuse("give a command: inspect, confine, mint or verify; see onetoken -help")
	}
	for _, c := range commands {
		if c.name == args[0] {
			return c.run(args[1:], p)
		}
	}
	f := newFlags("")
	switch err := f.Parse(args); {
	case args[0] == "help", errors.Is(err, flag.ErrHelp):
		return printHelp(p.out)
	}
	return misuse("unknown command; the commands are inspect, confine, mint and verify")
}

func printHelp(out io.Writer) error {
	text := "Onetoken inspects, confines, mints and verifies Onezone tokens, offline.\n\n"
	for _, c := range commands {
		text += "  onetoken " + c.name + " " + c.synopsis + "\n"
	}
	return write(out, text+"\nThe flags: onetoken COMMAND -help. The manual: go doc github.com/onezone-go/onezone/macaroon/cmd/onetoken\n")
}
