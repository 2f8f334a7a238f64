package main

import (
	"context"

	"github.com/onezone-go/onezone/internal/printable"
	"github.com/onezone-go/onezone/macaroon"
)

// inspect prints the content of a token.
func inspect(f *flags) action {
	asJSON := f.Bool("json", false, "print the JSON of the REST operation examine")
	return func(_ context.Context, p process, args []string) error {
		token, err := inspected(p, args)
		if err != nil {
			return err
		}
		if !*asJSON {
			return write(p.out, token.Inspect())
		}
		view, err := token.Examine(nil)
		if err != nil {
			return err
		}
		return write(p.out, printable.Escape(string(view))+"\n")
	}
}

// inspected reads the token from the file of the one argument, or from standard
// input.
func inspected(p process, args []string) (macaroon.Token, error) {
	if len(args) > 1 {
		return macaroon.Token{}, misuse("inspect takes one file")
	}
	return p.readToken(args...)
}
