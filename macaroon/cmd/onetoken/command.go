package main

import (
	"flag"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/onezone-go/onezone/errors"
)

// command is one command of onetoken.
type command struct {
	name, synopsis string
	// prepare declares the flags, and returns the function that runs the
	// command with the arguments after the flags.
	prepare func(f *flags) func(p process, args []string) error
}

var commands = []command{
	{"inspect", "[-json] [FILE]", inspect},
	{"confine", "[-ttl DURATION] [-now TIME] [-any] [CAVEAT]... < TOKEN", confine},
	{"mint", "-subject SUBJECT [flags] [CAVEAT]...", mint},
	{"verify", "[flags] < TOKEN", verify},
}

func (c command) run(args []string, p process) error {
	f := newFlags(c.name)
	do := c.prepare(f)
	switch err := f.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return f.printHelp(p.out, c.synopsis)
	case err != nil:
		return f.misuse(err)
	}
	return do(p, f.Args())
}

// misuse is an error in the command line. It never wraps an error of the
// catalogue, because those are about the token.
type misuse string

func (m misuse) Error() string { return string(m) }

// flags are the flags of one command. Their errors do not repeat values, which
// might be a misplaced token or secret.
type flags struct {
	*flag.FlagSet
	problem misuse
}

func newFlags(name string) *flags {
	f := &flags{FlagSet: flag.NewFlagSet(name, flag.ContinueOnError)}
	f.SetOutput(io.Discard) // it quotes values
	return f
}

// value declares a flag that parse reads into p. If the flag is not given, p
// keeps its value. The argument what describes the values that the flag takes.
func value[T any](f *flags, p *T, name, placeholder, what string, parse func(string) (T, error)) {
	f.Func(name, "`"+placeholder+"`: "+what, func(text string) error {
		v, err := parse(text)
		if err != nil {
			f.problem = misuse("-" + name + " takes " + what)
			return err
		}
		*p = v
		return nil
	})
}

// errBadValue rejects the value of a flag. Users see a message about the right
// values instead.
var errBadValue = errors.New("not what the flag takes")

// verbatim is the parser of flags that take any text.
func verbatim(text string) (string, error) { return text, nil }

// safeFlagError matches the errors of package flag that contain only the name
// of a flag, in letters.
var safeFlagError = regexp.MustCompile(`^flag (provided but not defined|needs an argument): -[a-z-]{1,24}$`)

// misuse returns a printable error for the error of a FlagSet.
func (f *flags) misuse(err error) error {
	problem := f.problem
	switch {
	case problem != "":
	case safeFlagError.MatchString(err.Error()):
		problem = misuse(err.Error())
	default:
		problem = "a flag is not valid"
	}
	return problem + misuse("; see onetoken "+f.Name()+" -help")
}

func (f *flags) printHelp(out io.Writer, synopsis string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "onetoken %s %s\n", f.Name(), synopsis)
	f.VisitAll(func(each *flag.Flag) {
		placeholder, usage := flag.UnquoteUsage(each)
		left := strings.TrimRight("-"+each.Name+" "+placeholder, " ")
		fmt.Fprintf(&b, "  %-19s %s\n", left, strings.TrimPrefix(usage, placeholder+": "))
	})
	return write(out, b.String())
}

func write(out io.Writer, text string) error {
	if _, err := io.WriteString(out, text); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}
