package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/onezone-go/onezone/macaroon/rest"
)

func (p *program) versionCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "version", Short: "Print the version, the commit and the version of Go",
		Example: "  onezone version --json",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			v := configuration()
			about := versionInfo{Version: v.Version, Commit: v.Build, Go: runtime.Version()}
			if asJSON {
				return p.printJSON(about)
			}
			_, err := fmt.Fprintf(p.out, "onezone %s, commit %s, %s\n", about.Version, about.Commit, about.Go)
			return err
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// versionInfo is the output of the version command.
type versionInfo struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
}

// configuration describes this program in the API: its version and commit,
// "unknown" if the Go command did not record it.
func configuration() rest.Configuration {
	c := rest.Configuration{Version: "unknown", Build: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return c
	}
	c.Version = info.Main.Version
	recorded := map[string]string{}
	for _, s := range info.Settings {
		recorded[s.Key] = s.Value
	}
	if commit := recorded["vcs.revision"]; commit != "" {
		c.Build = commit
	}
	if recorded["vcs.modified"] == "true" {
		c.Build += " with changes"
	}
	return c
}
