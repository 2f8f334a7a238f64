// Package buildinfo returns the version of the program that runs.
package buildinfo

import (
	"runtime"
	"runtime/debug"
)

// Info describes a program. The output of its command version has this form.
type Info struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
}

// Read returns what the Go command recorded about the program, "unknown" for
// what it did not record.
func Read() Info {
	recorded, ok := debug.ReadBuildInfo()
	if !ok {
		return Info{"unknown", "unknown", runtime.Version()}
	}
	return read(recorded)
}

func read(recorded *debug.BuildInfo) Info {
	info := Info{recorded.Main.Version, "unknown", runtime.Version()}
	settings := map[string]string{}
	for _, s := range recorded.Settings {
		settings[s.Key] = s.Value
	}
	if commit := settings["vcs.revision"]; commit != "" {
		info.Commit = commit
	}
	if settings["vcs.modified"] == "true" {
		info.Commit += " with changes"
	}
	if info.Version == "" {
		info.Version = "unknown"
	}
	return info
}

// String returns the description for people, such as "v0.1.0, commit 5f3a1c0,
// go1.26.0".
func (i Info) String() string { return i.Version + ", commit " + i.Commit + ", " + i.Go }
