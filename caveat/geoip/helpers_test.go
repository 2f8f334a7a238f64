package geoip_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat/geoip"
	"github.com/onezone-go/onezone/internal/testing/mmdb"
)

// Addresses of the test databases.
var (
	warsaw   = netip.MustParseAddr("192.0.2.1")
	warsaw6  = netip.MustParseAddr("2001:db8::1")
	zurich   = netip.MustParseAddr("198.51.100.7")
	ship     = netip.MustParseAddr("203.0.113.1") // has a record without a country
	island   = netip.MustParseAddr("203.0.113.129")
	nowhere  = netip.MustParseAddr("10.0.0.1")
	nowhere6 = netip.MustParseAddr("2001:db9::1")
)

func placesFile() []byte {
	return mmdb.Write("GeoLite2-Country", map[string]mmdb.Map{
		"192.0.2.0/24":     mmdb.Place("PL", "EU", true),
		"2001:db8::/32":    mmdb.Place("PL", "EU", true),
		"198.51.100.0/24":  mmdb.Place("CH", "EU", false),
		"203.0.113.0/25":   mmdb.Place("", "EU", false),
		"203.0.113.128/25": mmdb.Place("TV", "", false),
	})
}

func systemsFile() []byte {
	return mmdb.Write("GeoLite2-ASN", map[string]mmdb.Map{
		"192.0.2.0/24":   mmdb.ASN(64496),
		"2001:db8::/32":  mmdb.ASN(4294967294),
		"203.0.113.0/24": {"autonomous_system_organization": "nobody"},
	})
}

// write writes a file atomically, as updates should be.
func write(t testing.TB, path string, content []byte) {
	t.Helper()
	temporary := path + ".new"
	require.NoError(t, os.WriteFile(temporary, content, 0o600))
	require.NoError(t, os.Rename(temporary, path))
}

// open opens files with the given contents, and returns their paths. Only Reload
// looks for changes.
func open(t testing.TB, contents ...[]byte) (*geoip.Resolver, []string) {
	t.Helper()
	return openWith(t, geoip.Options{CheckInterval: -1}, contents...)
}

func openWith(t testing.TB, o geoip.Options, contents ...[]byte) (*geoip.Resolver, []string) {
	t.Helper()
	dir := t.TempDir()
	var paths []string
	for i, content := range contents {
		path := filepath.Join(dir, string(rune('a'+i))+".mmdb")
		write(t, path, content)
		paths = append(paths, path)
	}
	r, err := geoip.Open(paths, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return r, paths
}

func eventually(t testing.TB, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, 10*time.Second, time.Millisecond)
}
