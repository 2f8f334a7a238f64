// Onezone runs a token service, and manages its users, tokens and store.
//
//	go run ./macaroon/cmd/onezone serve
//
// serves the token API of Onezone on http://127.0.0.1:9080 with an SQLite file
// in ./data. At the first start it creates a demo user and prints two curl
// commands to try.
//
// The commands explain themselves: onezone --help lists them, onezone help
// serve explains one, and onezone man prints all of it as a manual page.
//
// The exit code is 0 after success, 2 for a wrong command, flag, variable or
// configuration file, and 1 for other failures. Each mistake takes one line on
// standard error.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/onezone-go/onezone/internal/printable"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := run(ctx, os.Args[1:], stdio{os.Stdin, os.Stdout, os.Stderr}, os.Getenv)
	stop()
	report(printable.NewWriter(os.Stderr), err)
	os.Exit(exitCode(err))
}

// stdio holds the standard streams of the program.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

// run runs the program with the arguments until it finishes or ctx is done.
func run(ctx context.Context, args []string, io stdio, getenv func(string) string) error {
	p := &program{stdio: io, args: args, getenv: getenv}
	root := p.root()
	root.SetArgs(args)
	return root.ExecuteContext(ctx)
}
