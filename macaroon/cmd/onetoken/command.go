package main

import (
	"context"
	"strings"

	// Subcommands, flags with two dashes, help and completions. The command
	// onezone uses it, too.
	"github.com/spf13/cobra"

	"github.com/onezone-go/onezone/internal/nearest"
	"github.com/onezone-go/onezone/macaroon/remote"
)

// action runs a command with the arguments that are not flags.
type action func(ctx context.Context, p process, args []string) error

// command is one command of onetoken.
type command struct {
	name, synopsis, short string
	example               string
	prepare               func(f *flags) action // declares the flags
}

var commands = []command{
	{
		"inspect", "[FILE]", "Print the content of a token, without verifying it",
		"  onetoken inspect < alice.token\n  onetoken inspect --json alice.token", inspect,
	},
	{
		"doctor", "[FILE]", "Explain a token, what is wrong with it, and how to fix it",
		"  onetoken doctor < alice.token", doctor,
	},
	{
		"confine", "[CAVEAT]...", "Add caveats to a token",
		"  onetoken confine --ttl 1h \"ip = 10.0.0.0/8\" < alice.token > lent.token\n" +
			"  onetoken confine --template oneclient --until 2026-12-24T18:00Z < alice.token\n" +
			"  onetoken confine --template path=/space/data --template readonly < alice.token", confine,
	},
	{
		"convert", "[FILE]", "Print a macaroon of any issuer in another format",
		"  onetoken convert --to v2 < alice.token > alice.macaroon\n" +
			"  onetoken convert --to v2-json --json < photos.macaroon", convert,
	},
	{
		"mint", "[CAVEAT]...", "Make a new token with a secret",
		"  onetoken mint --subject usr-alice --ttl 1h --secret-file secret > alice.token", mint,
	},
	{
		"verify", "[FILE]", "Verify a token, with its secret or at an Onezone",
		"  onetoken verify --ip 10.1.2.3 --secret-file secret < lent.token\n" +
			"  onetoken verify --onezone https://onezone.example.org < alice.token", verify,
	},
	{
		"explain", "[FILE]", "Explain whether a token would be accepted for a request, and why",
		"  onetoken explain --ip 10.1.2.3 --interface rest lent.token\n" +
			"  onetoken explain --read /space/data --secret-file secret < lent.token", explainToken,
	},
	{
		"narrow", "[FILE]", "Propose the tightest caveats that let recorded requests through",
		"  onetoken narrow --requests requests.jsonl --until 2026-12-24T18:00Z alice.token", narrow,
	},
	{
		"login", "", "Exchange a password for a token, and keep it in the profile",
		"  onetoken login --onezone https://onezone.example.org --user alice", login,
	},
	{
		"logout", "", "Delete the token of the login and the profile",
		"  onetoken logout", logout,
	},
	{
		"create", "[CAVEAT]...", "Create a token at the Onezone",
		"  onetoken create --name laptop --template oneclient --ttl 30d\n" +
			"  onetoken create --ttl 1h \"ip = 10.0.0.0/8\" > lent.token", create,
	},
	{
		"list", "", "List your named tokens, the oldest first",
		"  onetoken list --json", listTokens,
	},
	{
		"show", "[ID]", "Show a named token without its text",
		"  onetoken show --name laptop", show,
	},
	{
		"revoke", "[ID]", "Revoke a named token and all copies of it",
		"  onetoken revoke --name laptop\n  onetoken revoke --family --name laptop",
		changer("revoked", "revoke", (*remote.Account).Revoke, (*remote.Account).RevokeFamily),
	},
	{
		"restore", "[ID]", "Make a revoked token work again",
		"  onetoken restore --name laptop", changer("restored", "restore", (*remote.Account).Restore, nil),
	},
	{
		"delete", "[ID]", "Delete a named token, which cannot be undone",
		"  onetoken delete 5f3a1c0e9d8b47f2a6c4e1d2b3a4958f\n  onetoken delete --family --name laptop",
		changer("deleted", "delete", (*remote.Account).Delete, (*remote.Account).DeleteFamily),
	},
	{
		"tighten", "[ID]", "Add caveats to a named token that was issued before",
		"  onetoken tighten --name laptop --caveat \"ip = 10.0.0.0/8\"",
		recordCaveats("tighten", "tightened", (*remote.Account).Tighten),
	},
	{
		"loosen", "[ID]", "Remove caveats that were added to a named token",
		"  onetoken loosen --name laptop --caveat \"ip = 10.0.0.0/8\"",
		recordCaveats("loosen", "loosened", (*remote.Account).Loosen),
	},
	{
		"tree", "[ID]", "Show a named token and those that were minted with it",
		"  onetoken tree --name laptop", tree,
	},
	{
		"clean", "", "Revoke or delete your named tokens that were not used for a time",
		"  onetoken clean --unused 90d --dry-run", clean,
	},
	{
		"completion", "SHELL", "Print the completions for bash, fish or zsh",
		"  source <(onetoken completion bash)\n" +
			"  onetoken completion zsh > \"${fpath[1]}/_onetoken\"\n" +
			"  onetoken completion fish > ~/.config/fish/completions/onetoken.fish", completion,
	},
	{
		"man", "", "Print the manual page",
		"  onetoken man | man -l -", man,
	},
	{
		"version", "", "Print the version, the commit and the version of Go",
		"  onetoken version --json", version,
	},
}

// names returns the names of all commands.
func names() []string {
	var all []string
	for _, c := range commands {
		all = append(all, c.name)
	}
	return all
}

// execute runs the command that the arguments name.
func execute(ctx context.Context, args []string, p process) error {
	if err := refuseTokens(args); err != nil {
		return err
	}
	root := &cobra.Command{
		Use: "onetoken", Short: "Tokens of Onezone on the command line",
		Long: "Onetoken inspects, explains, confines, mints and verifies tokens, and manages them at an Onezone.\n\n" +
			"Tokens come on standard input or from files, never from arguments. \"onetoken man | man -l -\" shows\n" +
			"the manual.",
		Example: "  onetoken inspect < alice.token",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(args[0])
			}
			return misuse("give a command: " + list(names(), "or") + "; onetoken --help explains them")
		},
		RunE:          func(*cobra.Command, []string) error { return nil },
		SilenceErrors: true, SilenceUsage: true,
	}
	root.SetArgs(args)
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.err)
	var written error // of the help
	root.SetHelpFunc(func(c *cobra.Command, _ []string) {
		text := c.Short + ".\n\n"
		if c.Long != "" {
			text = c.Long + "\n\n"
		}
		written = write(p.out, text+c.UsageString())
	})
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(help(root))
	root.SetUsageTemplate(strings.Replace(root.UsageTemplate(), usageOfCobra, usageOfOnetoken, 1))
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return flagError(c, err, args) })
	for _, c := range commands {
		root.AddCommand(c.build(p))
	}
	if err := root.ExecuteContext(ctx); err != nil {
		return err
	}
	return written
}

// help explains a command. Unlike that of cobra, it refuses unknown names.
func help(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use: "help COMMAND", Short: "Explain a command",
		RunE: func(_ *cobra.Command, args []string) error {
			c, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(firstName(args))
			}
			c.InitDefaultHelpFlag()
			return c.Help()
		},
	}
}

// The root alone is not a command, so the usage has one line.
const (
	usageOfCobra = "{{if .Runnable}}\n  {{.UseLine}}{{end}}" +
		"{{if .HasAvailableSubCommands}}\n  {{.CommandPath}} [command]{{end}}"
	usageOfOnetoken = "\n  {{if .HasAvailableSubCommands}}{{.CommandPath}} COMMAND [flags]{{else}}{{.UseLine}}{{end}}"
)

func (c command) build(p process) *cobra.Command {
	built := &cobra.Command{
		Use: strings.TrimSpace(c.name + " [flags] " + c.synopsis), Short: c.short, Example: c.example,
		Args: c.checkArguments, DisableFlagsInUseLine: true,
	}
	do := c.prepare(&flags{built.Flags(), built})
	built.RunE = func(b *cobra.Command, args []string) error { return do(b.Context(), p, args) }
	return built
}

// checkArguments refuses arguments that the synopsis of the command lacks.
func (c command) checkArguments(_ *cobra.Command, args []string) error {
	switch {
	case c.name == "login" && len(args) > 0:
		return misuse("login takes flags only; the password comes from the terminal or standard input")
	case c.synopsis == "" && len(args) > 0:
		return misuse(c.name + " takes flags only; see onetoken " + c.name + " --help")
	case c.synopsis == "[FILE]" && len(args) > 1:
		return misuse(c.name + " takes one file")
	}
	return nil
}

// unknownCommand returns the error for a command that does not exist. It does
// not repeat the name, which might be a misplaced secret.
func unknownCommand(name string) error {
	text := "unknown command"
	if meant := nearest.Name(name, names()); meant != "" {
		text += ", did you mean " + meant + "?"
	}
	return misuse(text + "; the commands are " + list(names(), "and"))
}

// list joins words as in a sentence.
func list(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	n := len(words) - 1
	return strings.Join(words[:n], ", ") + " " + last + " " + words[n]
}
