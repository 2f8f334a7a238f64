package main

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	// The flags of cobra, whose errors name the flag.
	"github.com/spf13/pflag"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/nearest"
)

// misuse is an error in the command line. It never wraps an error of the
// catalogue, because those are verdicts.
type misuse string

func (m misuse) Error() string { return string(m) }

// flags are the flags of one command. Their errors do not repeat values, which
// might be a misplaced token or secret.
type flags struct {
	*pflag.FlagSet
	of *cobra.Command
}

// flagValue is a flag with a parser.
type flagValue[T any] struct {
	of    *T
	parse func(string) (T, error)
	takes string // the values that the flag takes
	shown string // the placeholder of a value in the help
}

// String implements [pflag.Value]. There are no defaults to show.
func (v *flagValue[T]) String() string { return "" }

// Type implements [pflag.Value]. The help shows it.
func (v *flagValue[T]) Type() string { return v.shown }

// Set implements [pflag.Value]. Its error has the reason only if parse returns a
// misuse, which must not repeat the value.
func (v *flagValue[T]) Set(text string) error {
	parsed, err := v.parse(text)
	if reason, ok := errors.AsType[misuse](err); ok {
		return misuse(v.takes + "; " + string(reason))
	}
	if err != nil {
		return misuse(v.takes)
	}
	*v.of = parsed
	return nil
}

// value declares a flag that parse reads into p. If the flag is not given, p
// keeps its value. The argument what describes the values that the flag takes.
func value[T any](f *flags, p *T, name, placeholder, what string, parse func(string) (T, error)) {
	f.Var(&flagValue[T]{p, parse, what, placeholder}, name, what)
}

// complete offers values of a flag to the shell.
func (f *flags) complete(name string, values ...string) {
	offer := cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
	if err := f.of.RegisterFlagCompletionFunc(name, offer); err != nil {
		panic(err) // the flag is not declared
	}
}

// toggle declares a flag that is on if it is given without a value.
func (f *flags) toggle(p *bool, name, usage string) { f.BoolVar(p, name, false, usage) }

// errBadValue rejects the value of a flag. Users see a message about the right
// values instead.
var errBadValue = errors.New("not what the flag takes")

// verbatim is the parser of flags that take any text.
func verbatim(text string) (string, error) { return text, nil }

// flagName matches names that may be repeated in a message.
var flagName = regexp.MustCompile(`^[a-z-]{1,24}$`)

// flagError returns the error for a wrong flag, without its value.
func flagError(c *cobra.Command, err error, args []string) error {
	hint := "; see " + c.CommandPath() + " --help"
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		name := "--" + invalid.GetFlag().Name
		if takes, ok := errors.AsType[misuse](err); ok {
			return misuse(name + " takes " + string(takes) + hint)
		}
		return misuse(name + " takes true or false" + hint)
	}
	if missing, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return misuse("--" + missing.GetFlag().Name + " needs a value" + hint)
	}
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	switch {
	case !ok:
		return misuse("a flag is not valid" + hint)
	case c.HasSubCommands():
		return unknownCommand(firstName(args))
	}
	return unknownFlag(c, unknown, hint)
}

// firstName returns the first argument that is not a flag.
func firstName(args []string) string {
	for _, arg := range args {
		if !strings.HasPrefix(arg, "-") {
			return arg
		}
	}
	return ""
}

func unknownFlag(c *cobra.Command, unknown *pflag.NotExistError, hint string) error {
	var known []string
	c.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	name, short := unknown.GetSpecifiedName(), unknown.GetSpecifiedShortnames()
	if short != "" {
		text := "unknown flag; flags have two dashes"
		if meant := nearest.Name(short, known); len(short) > 1 && meant != "" {
			text += ": --" + meant
		}
		return misuse(text + hint)
	}
	text := "unknown flag"
	if flagName.MatchString(name) {
		text += " --" + name
	}
	if meant := nearest.Name(name, known); meant != "" {
		text += ", did you mean --" + meant + "?"
	}
	return misuse(text + hint)
}

func write(out io.Writer, text string) error {
	if _, err := io.WriteString(out, text); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}
