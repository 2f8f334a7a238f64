package main

import (
	"context"

	"github.com/onezone-go/onezone/internal/buildinfo"
)

// version prints the version of the program.
func version(f *flags) action {
	asJSON := f.json("the version")
	return func(_ context.Context, p process, _ []string) error {
		if *asJSON {
			return p.printJSON(buildinfo.Read())
		}
		return p.say("onetoken %v", buildinfo.Read())
	}
}
