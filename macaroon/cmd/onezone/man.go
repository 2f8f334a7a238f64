package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func (p *program) manCommand() *cobra.Command {
	return &cobra.Command{
		Use: "man", Short: "Print the manual page",
		Example: `  onezone man | man -l -
  onezone man > /usr/local/share/man/man1/onezone.1`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprint(p.out, manualPage(c.Root()))
			return err
		},
	}
}

// manualPage returns the commands and topics as a manual page (man(7)).
func manualPage(root *cobra.Command) string {
	m := &manual{}
	m.macro("TH", strings.ToUpper(root.Name()), "1", "", root.Name(), "")
	m.macro("SH", "NAME")
	m.line(root.Name() + " - " + root.Short)
	m.macro("SH", "SYNOPSIS")
	m.line(root.Name() + " COMMAND [flags]")
	m.macro("SH", "DESCRIPTION")
	m.text(root.Long)
	m.macro("SH", "COMMANDS")
	for _, c := range leaves(root) {
		m.command(c)
	}
	for _, c := range root.Commands() {
		if c.IsAdditionalHelpTopicCommand() {
			m.macro("SH", strings.ToUpper(c.Short))
			m.text(c.Long)
		}
	}
	m.macro("SH", "EXIT STATUS")
	m.line("0 after success, 2 for a wrong command, flag, variable or configuration file, and 1 for other failures.")
	return m.String()
}

// manual is a manual page that is being written.
type manual struct{ strings.Builder }

func (m *manual) command(c *cobra.Command) {
	m.macro("SS", c.UseLine())
	m.text(c.Short + ".")
	if c.Long != "" {
		m.macro("PP")
		m.text(c.Long)
	}
	c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		name, usage := pflag.UnquoteUsage(f)
		m.macro("TP")
		m.line(strings.TrimSpace("--" + f.Name + " " + name))
		if f.DefValue != "" && f.DefValue != "false" {
			usage += " (default " + f.DefValue + ")"
		}
		m.line(usage)
	})
	if c.Example != "" {
		m.macro("PP")
		m.line("Examples:")
		m.text(c.Example)
	}
}

// text writes paragraphs. Indented ones stay as they are.
func (m *manual) text(text string) {
	for i, paragraph := range strings.Split(strings.TrimRight(text, "\n"), "\n\n") {
		if i > 0 {
			m.macro("PP")
		}
		verbatim := strings.HasPrefix(paragraph, "  ")
		if verbatim {
			m.macro("nf")
		}
		for line := range strings.SplitSeq(paragraph, "\n") {
			m.line(line)
		}
		if verbatim {
			m.macro("fi")
		}
	}
}

func (m *manual) macro(name string, args ...string) {
	m.WriteString("." + name)
	for _, each := range args {
		m.WriteString(` "` + strings.ReplaceAll(escapeRoff(each), `"`, `\(dq`) + `"`)
	}
	m.WriteString("\n")
}

// line writes a line of text, which roff must not mistake for a macro.
func (m *manual) line(text string) {
	text = escapeRoff(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	m.WriteString(text + "\n")
}

func escapeRoff(text string) string {
	return strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
}
