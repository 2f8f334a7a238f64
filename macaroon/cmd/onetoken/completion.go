package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"
)

// completion prints the completions for a shell.
func completion(f *flags) action {
	scripts := map[string]func(*cobra.Command, io.Writer) error{
		"bash": func(root *cobra.Command, out io.Writer) error { return root.GenBashCompletionV2(out, true) },
		"fish": func(root *cobra.Command, out io.Writer) error { return root.GenFishCompletion(out, true) },
		"zsh":  (*cobra.Command).GenZshCompletion,
	}
	f.of.ValidArgs = []string{"bash", "fish", "zsh"}
	return func(_ context.Context, p process, args []string) error {
		if len(args) != 1 || scripts[args[0]] == nil {
			return misuse("give the shell: bash, fish or zsh")
		}
		return scripts[args[0]](f.of.Root(), p.out)
	}
}
