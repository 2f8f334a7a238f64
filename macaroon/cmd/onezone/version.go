package main

import (
	"github.com/spf13/cobra"

	"github.com/onezone-go/onezone/internal/buildinfo"
	"github.com/onezone-go/onezone/macaroon/rest"
)

func (p *program) versionCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "version", Short: "Print the version, the commit and the version of Go",
		Example: "  onezone version --json",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			about := buildinfo.Read()
			return p.print(about, "onezone %v", about)
		},
	}
	p.jsonFlag(c)
	return c
}

// configuration describes this program in the API.
func configuration() rest.Configuration {
	about := buildinfo.Read()
	return rest.Configuration{Version: about.Version, Build: about.Commit}
}
