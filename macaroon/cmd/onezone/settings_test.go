package main

import (
	"context"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
	"github.com/onezone-go/onezone/macaroon"
)

func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// parsed returns the settings of the service for the flags.
func parsed(t *testing.T, getenv func(string) string, args ...string) (settings, error) {
	t.Helper()
	s, f := newSettings(), pflag.NewFlagSet("serve", pflag.ContinueOnError)
	s.allFlags(f)
	configFlag(f)
	if err := f.Parse(args); err != nil {
		return *s, err
	}
	_, err := (&program{getenv: getenv}).configured(f, s)
	return *s, err
}

func TestFlagsTakePrecedenceOverTheEnvironment(t *testing.T) {
	t.Parallel()
	env := environment("ONEZONE_ADDRESS", "192.0.2.1:1", "ONEZONE_LOG_LEVEL", "warn", "ONEZONE_CACHE", "false", "ONEZONE_STORE", "memory:",
		"ONEZONE_DEMO", "true", "ONEZONE_TRUSTED_PROXIES", "10.0.0.0/8, 2001:db8::/32", "ONEZONE_CREATE_USER", "eve", "ONEZONE_DRAIN", "2s",
		"ONEZONE_ALLOWED_ORIGINS", "https://app.example.com, http://localhost:8080")
	s, err := parsed(t, env, "--address", "192.0.2.2:2", "--domain", "onezone.example.com")
	require.NoError(t, err)
	require.Equal(t, settings{
		address: "192.0.2.2:2", adminAddress: "127.0.0.1:9089", adminIfFree: true, store: "memory:", storeTimeout: 5 * time.Second, domain: "onezone.example.com",
		proxies:         []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")},
		maxTemporaryTTL: 2592000 * time.Second, origins: []string{"https://app.example.com", "http://localhost:8080"},
		limits:   limits{16384, 1000, 100, 100},
		logLevel: slog.LevelWarn, logFormat: "text", maxCaveats: 256, quotas: macaroon.Quotas{NamedTokens: 10_000, CustomMetadata: 65536, Record: 262144},
		failures: 10, failureInterval: 6 * time.Second, demo: true, drain: 2 * time.Second, oidc: oidcSettings{maxUsers: 10_000}, page: true,
		database:  databaseSettings{"onezone", true, "onezone:", 0, false, "full"},
		memory:    memorySettings{100_000, time.Minute, 8192},
		basicAuth: true, inherit: true,
		lastUse: lastUseSettings{on: true, address: "network", interval: time.Minute},
	}, s)
	s, err = parsed(t, env, "--trusted-proxies", "192.0.2.0/24")
	require.NoError(t, err)
	require.Equal(t, []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, s.proxies, "a flag replaces, it does not add")
}

func TestRepeatedFlagsAdd(t *testing.T) {
	t.Parallel()
	env := environment("ONEZONE_GEOIP", "a.mmdb, b.mmdb")
	s, err := parsed(t, env)
	require.NoError(t, err)
	require.Equal(t, []string{"a.mmdb", "b.mmdb"}, s.geoip)
	s, err = parsed(t, env, "--geoip", "c.mmdb", "--geoip", "d.mmdb")
	require.NoError(t, err)
	require.Equal(t, []string{"c.mmdb", "d.mmdb"}, s.geoip, "flags replace the variable")
	_, err = parsed(t, unset, "--geoip", "")
	require.ErrorContains(t, err, "want texts that are not empty")
}

func TestTrustedProxiesAreNetworksOrAddresses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"10.0.0.0/8": "10.0.0.0/8", "10.0.0.1": "10.0.0.1/32", "::1": "::1/128", "2001:db8::/32": "2001:db8::/32",
		"::ffff:10.0.0.1": "::ffff:10.0.0.1/128", "::ffff:10.0.0.0/104": "::ffff:10.0.0.0/104",
	} {
		s, err := parsed(t, unset, "--trusted-proxies", "192.0.2.0/24, "+text)
		require.NoError(t, err, text)
		require.Equal(t, []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix(want)}, s.proxies)
	}
	for _, text := range []string{"10.0.0.1/33", "10.0.0", "localhost", "fe80::1%eth0", "", "10.0.0.1:80"} {
		_, err := parsed(t, unset, "--trusted-proxies", text)
		require.ErrorContains(t, err, "trusted-proxies", text)
	}
}

func TestDurationsMayBeInDays(t *testing.T) {
	t.Parallel()
	s, err := parsed(t, unset, "--max-temporary-ttl", "30d")
	require.NoError(t, err)
	require.Equal(t, 720*time.Hour, s.maxTemporaryTTL)
	for _, text := range []string{"d", "1.5d", "106752d", "-106752d", "30D"} {
		_, err := parsed(t, unset, "--max-temporary-ttl", text)
		require.ErrorContains(t, err, "want a number with a unit", text)
	}
}

func TestBadSettingsAreRefusedBeforeAnythingStarts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		env  []string
		args []string
		want string
	}{
		{nil, []string{"--tls-cert", "x"}, "must be given together"},
		{nil, []string{"--tls-key", "x"}, "must be given together"},
		{nil, []string{"--log-format", "xml"}, "text or json"},
		{nil, []string{"--log-level", "loud"}, "log-level"},
		{nil, []string{"--store-timeout", "0s"}, "--store-timeout"},
		{nil, []string{"--feed-url", "postgres://user:hunter2@db/onezone"}, "--feed-url"},
		{nil, []string{"--primary-store", "postgres://user:hunter2@db/onezone"}, "--primary-store must be"},
		{nil, []string{"--store", "postgres://standby/onezone", "--primary-store", "postgres://user:hunter2@db/onezone"}, "--primary-store needs --last-use=false"},
		{nil, []string{"--drain", "-1s"}, "--drain"},
		{nil, []string{"--clock-leeway", "-1s"}, "--clock-leeway"},
		{nil, []string{"--clock-leeway", "6m"}, "--clock-leeway must be between 0s and 5m0s"},
		{nil, []string{"--max-temporary-ttl", "0s"}, "--max-temporary-ttl"},
		{nil, []string{"--store", "memory:", "--allowed-origins", "https://app.example.com/"}, "--allowed-origins"},
		{nil, []string{"--trusted-proxies", "10.0.0.300"}, "trusted-proxies"},
		{nil, []string{"now"}, `unexpected argument "now"`},
		{[]string{"ONEZONE_STORE_TIMEOUT", "hunter2"}, nil, "the value of ONEZONE_STORE_TIMEOUT is not valid for --store-timeout: want a number with a unit"},
		{nil, []string{"--store", "mysql://user:hunter2@db"}, "--store must be sqlite:PATH"},
		{nil, []string{"--store", "sqlite:"}, "needs a path"},
		{nil, []string{"--store", "memory:", "--seal-key-file", "/nowhere"}, "reading the seal keys"},
		{nil, []string{"--store", "memory:", "--domain", "a\nb"}, `--domain "a\nb" is not a host name`},
		{nil, []string{"--store", "memory:", "--address", "127.0.0.1:x"}, `--address "127.0.0.1:x" is not HOST:PORT`},
	} {
		var out, log syncbuffer.Buffer
		ctx, cancel := context.WithTimeout(t.Context(), patience) // so that an accepted setting does not serve forever
		err := run(ctx, append([]string{"serve"}, c.args...), stdio{strings.NewReader(""), &out, &log}, environment(c.env...))
		cancel()
		require.ErrorContains(t, err, c.want, "%v %v", c.env, c.args)
		require.Empty(t, out.String())
		require.NotContains(t, err.Error()+log.String(), "hunter2", "a password that is in a setting")
	}
}

func TestSealKeysAreReadWithoutBeingShown(t *testing.T) {
	t.Parallel()
	good := strings.Repeat("k", 42) + "o="
	for text, want := range map[string]string{
		"":                                       "there is no key",
		"# only a comment\n\n":                   "there is no key",
		"one " + good:                            "",
		"# new\nnew " + good + "\r\nold " + good: "",
		"one":                                    "line 1 of",
		"# x\none " + good + " x":                "line 2 of",
		"one " + good[:40]:                       "not 32 bytes",
		"one " + strings.Repeat("?", 44):         "not 32 bytes",
		"one " + good + "\none " + good:          "line 2 of",
	} {
		file := filepath.Join(t.TempDir(), "keys")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		_, err := readSealKeys(file)
		if want == "" {
			require.NoError(t, err, text)
			continue
		}
		require.ErrorContains(t, err, want, text)
		require.NotContains(t, err.Error(), "kkkk")
	}
}

// Every error about a flag says which values are right, and an error about a
// variable does not quote its value.
func TestErrorsSayWhichValuesAreRight(t *testing.T) {
	t.Parallel()
	for variable, want := range map[string]string{
		"ONEZONE_CACHE":            "want true or false",
		"ONEZONE_DEMO":             "want true or false",
		"ONEZONE_LOG_LEVEL":        "want debug, info, warn or error",
		"ONEZONE_DRAIN":            "want a number with a unit, such as 500ms, 5s or 30d",
		"ONEZONE_MAX_CONNECTIONS":  "want a whole number of at least 1",
		"ONEZONE_TRUSTED_PROXIES":  "want networks such as 10.0.0.0/8",
		"ONEZONE_ALLOWED_ORIGINS":  "want origins such as https://app.example.com",
		"ONEZONE_MAX_HEADER_BYTES": "want a whole number of at least 4096",
	} {
		_, err := parsed(t, environment(variable, "hunter2"))
		require.ErrorContains(t, err, want, variable)
		require.NotContains(t, err.Error(), "hunter2", variable)
	}
}
