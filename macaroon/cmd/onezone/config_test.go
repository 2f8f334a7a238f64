package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
)

// configFile writes a configuration file.
func configFile(t *testing.T, lines ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "onezone.toml")
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600))
	return file
}

func TestTheFileIsUsedUnlessAFlagOrVariableIsGiven(t *testing.T) {
	t.Parallel()
	file := configFile(t, `# the service`, `address = "192.0.2.3:3"`, `domain = "file.example.com"`, `store = "sqlite:/file.db"`,
		`trusted-proxies = ["10.0.0.0/8", "192.0.2.1"]`, `max-connections = 7`, `cache = false`, `max-temporary-ttl = "2d"`)
	s, err := parsed(t, environment("ONEZONE_DOMAIN", "variable.example.com", "ONEZONE_ADDRESS", "192.0.2.2:2", "ONEZONE_CONFIG", file), "--address", "192.0.2.1:1")
	require.NoError(t, err)
	require.Equal(t, "192.0.2.1:1", s.address)
	require.Equal(t, "variable.example.com", s.domain)
	require.Equal(t, "sqlite:/file.db", s.store)
	require.Len(t, s.proxies, 2)
	require.Equal(t, 7, s.limits.connections)
	require.False(t, s.cache)
	require.Equal(t, "48h0m0s", s.maxTemporaryTTL.String())
	require.False(t, s.demoIfNew, "a store in the file is as good as one in a flag")
}

func TestCommandsTakeTheStoreOfTheFile(t *testing.T) {
	t.Parallel()
	store := filepath.Join(t.TempDir(), "onezone.db")
	file := configFile(t, `store = "sqlite:`+store+`"`, `address = "0.0.0.0:443"`)
	var out, log syncbuffer.Buffer
	require.NoError(t, run(t.Context(), []string{"--config", file, "user", "add", "--no-password", "alice"}, stdio{strings.NewReader(""), &out, &log}, unset))
	require.FileExists(t, store)
}

func TestMistakesInTheFileNameTheLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"\nadress = \"x\"":                     {`line 2: unknown key "adress", did you mean address?`},
		"xyz = 1\nstroe = 2":                   {`line 1: unknown key "xyz"`, `line 2: unknown key "stroe", did you mean store?`},
		"[serve]\naddress = \"x\"":             {`unknown key "serve`},
		"config = \"other.toml\"":              {`line 1: unknown key "config"`},
		"drain = \"hunter2\"":                  {`line 1 is not valid for --drain: want a number with a unit`},
		"max-connections = 0":                  {`line 1 is not valid for --max-connections: want a whole number of at least 1`},
		"address = 2026-11-29":                 {`line 1: the value of address must be a text, a number, true, false or a list of texts`},
		"trusted-proxies = [1]":                {`line 1: the value of trusted-proxies must be`},
		"address = \"a:1\"\naddress = \"a:1\"": {`line 2 is not TOML`},
		"store = hunter2":                      {`line 1 is not TOML`},
		"store = \"sqlite:a\" \"hunter2\"":     {`line 1 is not TOML`},
		"tls-cert = \"cert.pem\"":              {`--tls-cert and --tls-key must be given together`},
		"store = \"mysql://u:hunter2@db\"":     {`--store must be sqlite:PATH`},
	} {
		file := configFile(t, text)
		_, err := parsed(t, unset, "--config", file)
		require.Equal(t, exitUsage, exitCode(err), text)
		var lines strings.Builder
		report(&lines, err)
		require.Equal(t, len(want), strings.Count(lines.String(), "\n"), lines.String())
		for _, each := range want {
			require.Contains(t, lines.String(), each)
		}
		require.NotContains(t, lines.String(), "hunter2")
	}
}

func TestConfigCheckExplainsEachValue(t *testing.T) {
	t.Parallel()
	file := configFile(t, `log-level = "warn"`, `store = "postgres://onezone:hunter2@db/onezone"`)
	var out, log syncbuffer.Buffer
	env := environment("ONEZONE_CONFIG", file, "ONEZONE_DRAIN", "2s")
	require.NoError(t, run(t.Context(), []string{"config", "check", "--json", "--domain", "onezone.example.com"}, stdio{strings.NewReader(""), &out, &log}, env))
	var list []settingResult
	require.NoError(t, json.Unmarshal([]byte(out.String()), &list))
	found := map[string]settingResult{}
	for _, each := range list {
		found[each.Name] = each
	}
	require.Len(t, found, len(settingNames())+1)
	for _, want := range []settingResult{
		{"config", file, "variable ONEZONE_CONFIG"},
		{"log-level", "warn", file + ", line 1"},
		{"store", "postgres://db/onezone", file + ", line 2"},
		{"drain", "2s", "variable ONEZONE_DRAIN"},
		{"domain", "onezone.example.com", "flag --domain"},
		{"address", "127.0.0.1:9080", "default"},
	} {
		require.Equal(t, want, found[want.Name])
	}
	require.NotContains(t, out.String(), "hunter2")

	var table syncbuffer.Buffer
	require.NoError(t, run(t.Context(), []string{"config", "check"}, stdio{strings.NewReader(""), &table, &log}, env))
	require.Contains(t, table.String(), "\ndrain\t2s\tvariable ONEZONE_DRAIN\n")
}

func TestConfigCheckFindsMisspelledVariables(t *testing.T) {
	t.Parallel()
	err := misspelledVariables([]string{
		"ONEZONE_ADRESS=x", "ONEZONE_STORE=hunter2", "ONEZONE_CONFIG=x", "ONEZONE_BINARY=x", "PATH=/", "ONEZONE_SEALKEY_FILE=hunter2",
	})
	require.EqualError(t, err, "the variable ONEZONE_ADRESS is not a setting, did you mean ONEZONE_ADDRESS?\n"+
		"the variable ONEZONE_SEALKEY_FILE is not a setting, did you mean ONEZONE_SEAL_KEY_FILE?")
}

// Files are read, so that a check finds what a start would.
func TestConfigCheckReadsTheFiles(t *testing.T) {
	t.Parallel()
	var out, log syncbuffer.Buffer
	err := run(t.Context(), []string{"config", "check", "--tls-cert", "/nowhere", "--tls-key", "/nowhere", "--seal-key-file", "/nowhere"},
		stdio{strings.NewReader(""), &out, &log}, unset)
	require.ErrorContains(t, err, "--tls-cert: open /nowhere")
	require.ErrorContains(t, err, "--seal-key-file /nowhere")
}
