package main

import (
	"flag"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/onezone-go/onezone/errors"
)

// command is one of the things that onetoken does.
type command struct {
	name, synopsis string
	// prepare declares the flags, and returns what to do once they are read, with
	// the arguments behind them.
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

// misuse is wrong usage. It is no error of the catalogue even where one of those
// tells what is wrong: the command line is at fault, not the token.
type misuse string

func (m misuse) Error() string { return string(m) }

// flags are those of one command. They complain without repeating what they were
// given, which might be a token or secret in the wrong place.
type flags struct {
	*flag.FlagSet
	problem misuse
}

func newFlags(name string) *flags {
	f := &flags{FlagSet: flag.NewFlagSet(name, flag.ContinueOnError)}
	f.SetOutput(io.Discard) // it quotes values
	return f
}

// value declares a flag that parse reads into p, which keeps what it has where
// the flag is not given. The flag takes what the text says.
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

// errUnfit refuses the text of a flag. What the flag takes is said in its place.
var errUnfit = errors.New("not what the flag takes")

// verbatim is the parser of a flag that takes every text.
func verbatim(text string) (string, error) { return text, nil }

// named are the complaints of package flag that say nothing but the name of a
// flag, and that in letters.
var named = regexp.MustCompile(`^flag (provided but not defined|needs an argument): -[a-z-]{1,24}$`)

// misuse turns the error of a FlagSet into one that may be printed.
func (f *flags) misuse(err error) error {
	problem := f.problem
	switch {
	case problem != "":
	case named.MatchString(err.Error()):
		problem = misuse(err.Error())
	default:
		problem = "a flag is not in order"
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
		return fmt.Errorf("writing the answer: %w", err)
	}
	return nil
}
