package main

import (
	"runtime/debug"

	"github.com/onezone-go/onezone/macaroon/rest"
)

// configuration describes this program in the API: its version and commit, if
// the Go command recorded them.
func configuration() rest.Configuration {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return rest.Configuration{}
	}
	c := rest.Configuration{Version: info.Main.Version}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			c.Build = s.Value
		}
	}
	return c
}
