package main

import (
	"context"
	_ "embed" // the package comment
	"go/doc/comment"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/onezone-go/onezone/internal/manpage"
)

// source is the file of the package comment, which is the manual.
//
//go:embed doc.go
var source string

// man prints the manual page.
func man(f *flags) action {
	return func(_ context.Context, p process, _ []string) error {
		return write(p.out, manualPage(f.of.Root()))
	}
}

// manualPage returns the package comment as a manual page, with the commands and
// their flags after the introduction.
func manualPage(root *cobra.Command) string {
	page := manpage.New(root.Name(), root.Short)
	page.Section("synopsis")
	page.Text(root.Name() + " COMMAND [flags]")
	page.Section("description")
	introduced := false
	for _, block := range packageComment().Content {
		if heading, ok := block.(*comment.Heading); ok {
			if !introduced {
				describeCommands(page, root)
				introduced = true
			}
			page.Section(text(&comment.Paragraph{Text: heading.Text}))
			continue
		}
		page.Paragraph(text(block))
	}
	return page.String()
}

func packageComment() *comment.Doc {
	comments, _, _ := strings.Cut(source, "\npackage ")
	var b strings.Builder
	for line := range strings.Lines(comments) {
		b.WriteString(strings.TrimPrefix(strings.TrimPrefix(line, "//"), " "))
	}
	var parser comment.Parser
	return parser.Parse(b.String())
}

// text returns a block of the comment as text, in which code is indented by two
// spaces.
func text(block comment.Block) string {
	printer := comment.Printer{TextCodePrefix: "  "}
	return strings.TrimRight(string(printer.Text(&comment.Doc{Content: []comment.Block{block}})), "\n")
}

func describeCommands(page *manpage.Page, root *cobra.Command) {
	page.Section("commands")
	for _, c := range root.Commands() {
		if c.Name() == "help" {
			continue
		}
		page.Subsection("onetoken " + c.Use)
		page.Text(c.Short + ".")
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Name == "help" {
				return
			}
			name, usage := pflag.UnquoteUsage(f)
			page.Term(strings.TrimSpace("--"+f.Name+" "+name), usage)
		})
		page.Paragraph("Examples:")
		page.Text(c.Example)
	}
}
