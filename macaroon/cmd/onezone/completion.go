package main

import (
	"io"
	"strings"

	"github.com/spf13/cobra"
)

func (p *program) completionCommand() *cobra.Command {
	scripts := map[string]func(*cobra.Command, io.Writer) error{
		"bash": func(root *cobra.Command, out io.Writer) error { return root.GenBashCompletionV2(out, true) },
		"fish": func(root *cobra.Command, out io.Writer) error { return root.GenFishCompletion(out, true) },
		"zsh":  func(root *cobra.Command, out io.Writer) error { return root.GenZshCompletion(out) },
	}
	shells := []string{"bash", "fish", "zsh"}
	return &cobra.Command{
		Use: "completion SHELL", Short: "Print the completions for bash, fish or zsh",
		Example: `  source <(onezone completion bash)
  onezone completion zsh > "${fpath[1]}/_onezone"
  onezone completion fish > ~/.config/fish/completions/onezone.fish`,
		ValidArgs: shells,
		Args: func(c *cobra.Command, args []string) error {
			if err := arguments("SHELL")(c, args); err != nil {
				return err
			}
			return failUnless(scripts[args[0]] != nil, "there are no completions for "+args[0]+", only for "+strings.Join(shells, ", "))
		},
		RunE: func(c *cobra.Command, args []string) error { return scripts[args[0]](c.Root(), p.out) },
	}
}
