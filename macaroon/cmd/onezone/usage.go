package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// usageError is an error in the command, its flags, the environment variables or
// the configuration file. The program then exits with exitUsage before it
// changes anything.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// usageErrorf returns a usage error.
func usageErrorf(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// restatedError is an error of a package in the words of the command.
type restatedError struct {
	text  string
	cause error
}

func (e restatedError) Error() string { return e.text }
func (e restatedError) Unwrap() error { return e.cause }

func restated(err error, format string, args ...any) error {
	return restatedError{fmt.Sprintf(format, args...), err}
}

// Exit codes of the program, besides 0.
const (
	exitFailure = 1
	exitUsage   = 2
)

// exitCode returns the exit code for the error of run.
func exitCode(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.As(err, new(usageError)):
		return exitUsage
	}
	return exitFailure
}

// report writes one line for each error in err.
func report(out io.Writer, err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, each := range joined.Unwrap() {
			report(out, each)
		}
		return
	}
	if err == nil {
		return
	}
	var line []string
	for part := range strings.Lines(err.Error()) {
		line = append(line, strings.TrimSpace(part))
	}
	fmt.Fprintln(out, "onezone:", strings.Join(line, " "))
}
