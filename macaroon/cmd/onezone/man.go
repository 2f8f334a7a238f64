package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/onezone-go/onezone/internal/manpage"
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

// manualPage returns the commands and topics as a manual page.
func manualPage(root *cobra.Command) string {
	page := manpage.New(root.Name(), root.Short)
	page.Section("synopsis")
	page.Text(root.Name() + " COMMAND [flags]")
	page.Section("description")
	page.Text(root.Long)
	page.Section("commands")
	for _, c := range leaves(root) {
		describeCommand(page, c)
	}
	for _, c := range root.Commands() {
		if c.IsAdditionalHelpTopicCommand() {
			page.Section(c.Short)
			page.Text(c.Long)
		}
	}
	page.Section("exit status")
	page.Text("0 after success, 2 for a wrong command, flag, variable or configuration file, and 1 for other failures.")
	return page.String()
}

func describeCommand(page *manpage.Page, c *cobra.Command) {
	page.Subsection(c.UseLine())
	page.Text(c.Short + ".")
	if c.Long != "" {
		page.Paragraph(c.Long)
	}
	c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		name, usage := pflag.UnquoteUsage(f)
		if f.DefValue != "" && f.DefValue != "false" {
			usage += " (default " + f.DefValue + ")"
		}
		page.Term(strings.TrimSpace("--"+f.Name+" "+name), usage)
	})
	if c.Example != "" {
		page.Paragraph("Examples:")
		page.Text(c.Example)
	}
}
