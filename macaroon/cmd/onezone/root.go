package main

import (
	"errors"
	"fmt"
	"strings"

	// Commands with help, completions for four shells and, from the same tree,
	// the manual page. Cobra depends on pflag only and is in wide use.
	"github.com/spf13/cobra"
	// The flags of cobra, whose errors name the flag and the value.
	"github.com/spf13/pflag"

	"github.com/onezone-go/onezone/internal/nearest"
)

// program is one run of the command.
type program struct {
	stdio
	args   []string
	getenv func(string) string
	asJSON bool // the flag --json of the command
}

// root returns the tree of all commands.
func (p *program) root() *cobra.Command {
	root := group("onezone", "Token service of Onezone, and its administration",
		p.serveCommand(), p.userCommand(), p.providerCommand(), p.tokenCommand(), p.storeCommand(), p.gateCommand(),
		p.configCommand(), p.completionCommand(), p.manCommand(), p.versionCommand())
	root.Long = "Onezone serves the token API of Onezone, and manages the users, tokens and store of the service.\n\n" +
		"Each setting is a flag, a variable or a key of the configuration file: see \"onezone help settings\"."
	root.Example = `  onezone serve
  onezone serve --address 127.0.0.1:9080 --store sqlite:data/onezone.db --seal-key-file keys
  onezone user add --store sqlite:data/onezone.db alice`
	root.AddCommand(topics()...)
	configFlag(root.PersistentFlags())
	for _, c := range leaves(root) {
		c.DisableFlagsInUseLine = true
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetFlagErrorFunc(p.flagError)
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.err)
	root.SetUsageTemplate(strings.Replace(root.UsageTemplate(), usageOfCobra, usageOfProgram, 1))
	root.SetHelpCommand(helpCommand())
	root.InitDefaultHelpCmd()
	return root
}

// A group alone is not a command, so its usage has one line.
const (
	usageOfCobra   = "{{if .Runnable}}\n  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}\n  {{.CommandPath}} [command]{{end}}"
	usageOfProgram = "\n  {{if .Annotations.group}}{{.CommandPath}} COMMAND [flags]{{else}}{{.UseLine}} [flags]{{end}}"
)

// leaves returns the commands below c that do something.
func leaves(c *cobra.Command) (all []*cobra.Command) {
	for _, each := range c.Commands() {
		if each.Runnable() && !isGroup(each) && each.Name() != "help" {
			all = append(all, each)
		}
		all = append(all, leaves(each)...)
	}
	return all
}

// helpCommand prints the help of a command or topic. Unlike that of cobra, it
// refuses unknown names.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "help COMMAND", Short: "Explain a command or topic",
		Example: "  onezone help user import\n  onezone help settings",
		RunE: func(c *cobra.Command, args []string) error {
			target, rest, err := c.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(target, rest)
			}
			target.InitDefaultHelpFlag()
			return target.Help()
		},
	}
}

// group returns a command that only has commands below it.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: short, Annotations: map[string]string{"group": "yes"},
		Args: func(c *cobra.Command, args []string) error { return unknownCommand(c, args) },
		RunE: func(*cobra.Command, []string) error { return nil },
	}
	c.AddCommand(commands...)
	return c
}

// isGroup reports whether the command only has commands below it.
func isGroup(c *cobra.Command) bool { return c.Annotations["group"] != "" }

// unknownCommand returns the error for a group whose command is missing or
// unknown.
func unknownCommand(c *cobra.Command, args []string) error {
	var commands, topics []string
	for _, each := range c.Commands() {
		if each.IsAvailableCommand() {
			commands = append(commands, each.Name())
		} else if each.IsAdditionalHelpTopicCommand() || each.Name() == "help" {
			topics = append(topics, each.Name())
		}
	}
	if len(args) == 0 {
		return usageErrorf("%s needs a command: %s; %s --help explains them", c.CommandPath(), strings.Join(commands, ", "), c.CommandPath())
	}
	names := append(commands, topics...)
	return usageErrorf("unknown command %q for %s%s; %s --help lists all commands",
		args[0], c.CommandPath(), didYouMean(args[0], names), c.CommandPath())
}

// flagError returns the error for a wrong flag in one line that says what would
// be right.
func (p *program) flagError(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	var missing *pflag.ValueRequiredError
	switch {
	case errors.As(err, &unknown) && isGroup(c):
		return unknownCommand(c, p.commandIn(c))
	case errors.As(err, &unknown):
		return unknownFlag(c, unknown)
	case errors.As(err, &invalid):
		return usageErrorf("%q for flag --%s: %w", invalid.GetValue(), invalid.GetFlag().Name, errors.Unwrap(invalid))
	case errors.As(err, &missing):
		name, _ := pflag.UnquoteUsage(missing.GetFlag())
		return usageErrorf("--%s needs a value: --%s %s", missing.GetFlag().Name, missing.GetFlag().Name, name)
	case errors.Is(err, pflag.ErrHelp):
		return err
	}
	return usageErrorf("%w; %s --help lists all flags", err, c.CommandPath())
}

// commandIn returns the arguments after the flags of a group: the name of a
// command that does not exist, or nothing.
func (p *program) commandIn(c *cobra.Command) []string {
	_, rest, _ := c.Root().Find(p.args)
	for i, each := range rest {
		if !strings.HasPrefix(each, "-") {
			return rest[i:]
		}
	}
	return nil
}

func unknownFlag(c *cobra.Command, unknown *pflag.NotExistError) error {
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	given := "--" + unknown.GetSpecifiedName()
	if short := unknown.GetSpecifiedShortnames(); short != "" {
		given = "-" + short
		if similar := nearest.Name("-"+given, names); len(short) > 1 && similar != "" {
			return usageErrorf("unknown flag %s; flags have two dashes: %s", given, similar)
		}
	}
	return usageErrorf("unknown flag %s for %s%s; %s --help lists all flags",
		given, c.CommandPath(), didYouMean(given, names), c.CommandPath())
}

// noArguments is for commands that take only flags.
func noArguments(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageErrorf("unexpected argument %q: %s takes only flags; %s --help lists them", args[0], c.CommandPath(), c.CommandPath())
	}
	return nil
}

// arguments is for commands that take exactly the arguments with the names.
func arguments(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) > len(names):
			return usageErrorf("unexpected argument %q; the usage is: %s", args[len(names)], c.UseLine())
		case len(args) < len(names):
			return usageErrorf("%s needs %s; the usage is: %s", c.CommandPath(), names[len(args)], c.UseLine())
		}
		for i, each := range args {
			if each == "" {
				return usageErrorf("%s needs %s, which must not be empty", c.CommandPath(), names[i])
			}
		}
		return nil
	}
}

// didYouMean returns the part of an error about a wrong name that suggests
// another one; "" if none is near.
func didYouMean(name string, names []string) string {
	if similar := nearest.Name(name, names); similar != "" {
		return fmt.Sprintf(", did you mean %s?", similar)
	}
	return ""
}
