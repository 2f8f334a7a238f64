package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/internal/testing/mmdb"
	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
	"github.com/onezone-go/onezone/macaroon"
)

// replaceFile replaces a file atomically.
func replaceFile(t *testing.T, path string, content []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(path+".new", content, 0o600))
	require.NoError(t, os.Rename(path+".new", path))
}

func places(country string) []byte {
	return mmdb.Write("GeoLite2-Country", map[string]mmdb.Map{"192.0.2.0/24": mmdb.Place(country, "EU", true)})
}

func TestConfigCheckReadsTheGeoDatabases(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "country.mmdb")
	check := func() error {
		var out, log syncbuffer.Buffer
		return run(t.Context(), []string{"config", "check", "--geoip", file}, stdio{strings.NewReader(""), &out, &log}, unset)
	}
	require.ErrorContains(t, check(), "--geoip: opening geo databases: loading "+file)
	replaceFile(t, file, places("PL"))
	require.NoError(t, check())
}

// --geoip decides caveats about addresses. A replaced file takes effect while the
// service runs, and a bad one does not.
func TestGeoDatabases(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	countries, systems := filepath.Join(dir, "country.mmdb"), filepath.Join(dir, "asn.mmdb")
	replaceFile(t, countries, places("PL"))
	replaceFile(t, systems, mmdb.Write("GeoLite2-ASN", map[string]mmdb.Map{"192.0.2.0/24": mmdb.ASN(64496)}))
	s := start(t, dir, "--store", "memory:", "--geoip", countries, "--geoip", systems)
	token, err := macaroon.Parse(s.token)
	require.NoError(t, err)
	status := func(text, address string) int {
		t.Helper()
		confined, err := token.Confine(caveat.MustParse(text))
		require.NoError(t, err)
		return s.verify(confined.String(), address).status
	}
	for text, want := range map[string]int{
		"geo.country = PL": 200, "geo.country = DE": 400, "geo.country != DE": 200,
		"geo.region = EU": 200, "geo.region = Asia": 400, "asn = 64496": 200, "asn = 1": 400,
	} {
		require.Equal(t, want, status(text, "192.0.2.1"), text)
		require.Equal(t, 400, status(text, "10.0.0.1"), "%s for an address that is in no file", text)
	}
	replaceFile(t, countries, []byte("<html>"))
	s.hangUp(notReloadedLine)
	require.True(t, s.hasLogged(notReloadedLine, "--geoip: loading "+countries))
	require.Equal(t, 200, status("geo.country = PL", "192.0.2.1"))
	replaceFile(t, countries, places("DE"))
	s.hangUp(reloadedLine)
	require.Equal(t, 200, status("geo.country = DE", "192.0.2.1"))
	s.stop()
}
