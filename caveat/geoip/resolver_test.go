package geoip_test

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/caveat/geoip"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/mmdb"
	"github.com/onezone-go/onezone/testdata/vectors"
)

func TestPlace(t *testing.T) {
	r, _ := open(t, placesFile(), systemsFile())
	poland := caveat.Place{Country: "PL", Continent: "EU", EU: true}
	for _, c := range []struct {
		name    string
		ip      netip.Addr
		want    caveat.Place
		refused string
	}{
		{name: "IPv4", ip: warsaw, want: poland},
		{name: "IPv6", ip: warsaw6, want: poland},
		{name: "IPv4-mapped IPv6", ip: netip.MustParseAddr("::ffff:192.0.2.1"), want: poland},
		{name: "with a zone", ip: warsaw6.WithZone("eth0"), want: poland},
		{name: "Europe outside of the EU", ip: zurich, want: caveat.Place{Country: "CH", Continent: "EU"}},
		{name: "no continent", ip: island, want: caveat.Place{Country: "TV"}},
		{name: "no country", ip: ship, refused: "does not know the places of 203.0.113.1"},
		{name: "not in the file", ip: nowhere, refused: "does not know the places of 10.0.0.1"},
		{name: "IPv6 not in the file", ip: nowhere6, refused: "does not know the places of 2001:db9::1"},
		{name: "unknown address", refused: "invalid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := r.Place(t.Context(), c.ip)
			require.Equal(t, c.want, got)
			if c.refused == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.refused)
			}
		})
	}
}

func TestASN(t *testing.T) {
	r, _ := open(t, systemsFile(), placesFile())
	for _, c := range []struct {
		name    string
		ip      netip.Addr
		want    uint32
		refused string
	}{
		{name: "IPv4", ip: warsaw, want: 64496},
		{name: "IPv6, 32 bits", ip: warsaw6, want: 4294967294},
		{name: "IPv4-mapped IPv6", ip: netip.MustParseAddr("::ffff:192.0.2.1"), want: 64496},
		{name: "a record without a number", ip: ship, refused: "does not know the autonomous systems of 203.0.113.1"},
		{name: "not in the file", ip: zurich, refused: "does not know the autonomous systems of 198.51.100.7"},
		{name: "unknown address", refused: "invalid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := r.ASN(t.Context(), c.ip)
			require.Equal(t, c.want, got)
			if c.refused == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.refused)
			}
		})
	}
}

// A record that was used before must not show through in the next one.
func TestLookUpsDoNotSeeEarlierRecords(t *testing.T) {
	r, _ := open(t, placesFile(), systemsFile())
	for range 100 {
		at, err := r.Place(t.Context(), warsaw)
		require.NoError(t, err)
		require.True(t, at.EU)
		at, err = r.Place(t.Context(), island)
		require.NoError(t, err)
		require.Equal(t, caveat.Place{Country: "TV"}, at)
		_, err = r.Place(t.Context(), ship)
		require.Error(t, err)
		_, err = r.ASN(t.Context(), warsaw)
		require.NoError(t, err)
		_, err = r.ASN(t.Context(), ship)
		require.Error(t, err)
	}
}

func TestCaveats(t *testing.T) {
	r, _ := open(t, placesFile(), systemsFile())
	for _, c := range []struct {
		text  string
		holds []netip.Addr // of all addresses
	}{
		{"geo.country = PL|FR", []netip.Addr{warsaw, warsaw6}},
		{"geo.country != PL", []netip.Addr{zurich, island}},
		{"geo.country = pl", nil},
		{"geo.region = Europe", []netip.Addr{warsaw, warsaw6, zurich}},
		{"geo.region = EU", []netip.Addr{warsaw, warsaw6}},
		{"geo.region != EU", []netip.Addr{zurich}},
		{"geo.region != Asia", []netip.Addr{warsaw, warsaw6, zurich}},
		{"asn = 64496", []netip.Addr{warsaw}},
		{"asn = 0|64496|4294967294", []netip.Addr{warsaw, warsaw6}},
	} {
		t.Run(c.text, func(t *testing.T) {
			require.Equal(t, c.holds, holding(t, r, c.text))
		})
	}
}

// holding returns the addresses for which the caveat holds.
func holding(t *testing.T, r *geoip.Resolver, text string) (holds []netip.Addr) {
	t.Helper()
	c, err := caveat.Parse(text)
	require.NoError(t, err)
	for _, ip := range []netip.Addr{warsaw, warsaw6, zurich, ship, island, nowhere, nowhere6, {}} {
		err := caveat.Check(t.Context(), c, &caveat.Request{IP: ip, Geo: r})
		if err == nil {
			holds = append(holds, ip)
			continue
		}
		require.ErrorIs(t, err, errors.IDTokenCaveatUnverified)
	}
	return holds
}

func TestMissingDatabaseFailsClosed(t *testing.T) {
	onlySystems, _ := open(t, systemsFile())
	onlyPlaces, _ := open(t, placesFile())
	for _, text := range []string{"geo.country = PL", "geo.country != PL", "geo.region = EU", "geo.region != EU"} {
		require.Empty(t, holding(t, onlySystems, text), text)
	}
	require.Empty(t, holding(t, onlyPlaces, "asn = 64496|0"))
	_, err := onlySystems.Place(t.Context(), warsaw)
	require.EqualError(t, err, "no database of places, such as GeoLite2-Country, is loaded")
	_, err = onlyPlaces.ASN(t.Context(), warsaw)
	require.EqualError(t, err, "no database of autonomous systems, such as GeoLite2-ASN, is loaded")
}

// The answers are those of the resolver that the original's vectors use.
func TestVectors(t *testing.T) {
	data, err := vectors.Files.ReadFile("geo.json")
	require.NoError(t, err)
	golden, err := vectors.ParseGeo(data)
	require.NoError(t, err)
	var addresses map[netip.Addr]any
	require.NoError(t, json.Unmarshal(data, &addresses))
	require.NotEmpty(t, addresses)
	places, systems := map[string]mmdb.Map{}, map[string]mmdb.Map{}
	for ip := range addresses {
		at, err := golden.Place(t.Context(), ip)
		require.NoError(t, err)
		number, err := golden.ASN(t.Context(), ip)
		require.NoError(t, err)
		network := netip.PrefixFrom(ip, ip.BitLen()).String()
		places[network], systems[network] = mmdb.Place(at.Country, at.Continent, at.EU), mmdb.ASN(number)
	}
	r, _ := open(t, mmdb.Write("GeoLite2-City", places), mmdb.Write("GeoIP2-ISP", systems))
	for ip := range addresses {
		want, _ := golden.Place(t.Context(), ip)
		at, err := r.Place(t.Context(), ip)
		require.NoError(t, err)
		require.Equal(t, want, at)
		wantNumber, _ := golden.ASN(t.Context(), ip)
		number, err := r.ASN(t.Context(), ip)
		require.NoError(t, err)
		require.Equal(t, wantNumber, number)
	}
}

func TestOpenRefuses(t *testing.T) {
	good := placesFile()
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		write(t, path, content)
		return path
	}
	country := file("country", good)
	for _, c := range []struct {
		name  string
		files []string
		want  string
	}{
		{"no file", nil, "no file is given"},
		{"missing", []string{filepath.Join(dir, "none")}, "no such file"},
		{"a directory", []string{dir}, "is not a regular file"},
		{"empty", []string{file("empty", nil)}, "invalid MaxMind DB file"},
		{"text", []string{file("text", []byte("<html>404</html>"))}, "invalid MaxMind DB file"},
		{"the end is missing", []string{file("end", good[:len(good)-200])}, "loading " + filepath.Join(dir, "end")},
		{"the start is missing", []string{file("start", good[40:])}, "loading " + filepath.Join(dir, "start")},
		{"a type of other data", []string{file("other", mmdb.Write("GeoIP2-Domain", map[string]mmdb.Map{"192.0.2.0/24": {"domain": "a"}}))},
			`a database of the type "GeoIP2-Domain" has neither countries nor autonomous systems`},
		{"no countries", []string{file("useless", mmdb.Write("My-Country", map[string]mmdb.Map{"192.0.2.0/24": {"cc": "PL"}}))},
			`"My-Country", has no record of places`},
		{"no numbers", []string{file("numberless", mmdb.Write("My-ASN", map[string]mmdb.Map{"192.0.2.0/24": {"asn": "AS1"}}))},
			`"My-ASN", has no record of autonomous systems`},
		{"no networks", []string{file("bare", mmdb.Write("GeoLite2-Country", nil))}, "has no record of places"},
		{"codes in small letters", []string{file("small", mmdb.Write("GeoLite2-Country", map[string]mmdb.Map{
			"192.0.2.0/24": mmdb.Place("PL", "EU", true), "198.51.100.0/24": mmdb.Place("ch", "EU", false)}))},
			`198.51.100.0/24 is damaged: the country "ch" is not a code of two capital letters`},
		{"a record of another type", []string{file("typed", mmdb.Write("GeoLite2-Country", map[string]mmdb.Map{
			"192.0.2.0/24": {"country": mmdb.Map{"iso_code": uint16(7)}}}))}, "192.0.2.0/24 is damaged"},
		{"two of a kind", []string{country, file("city", mmdb.Write("GeoLite2-City", map[string]mmdb.Map{"192.0.2.0/24": mmdb.Place("PL", "EU", true)}))},
			"both have places: give one file of each"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := geoip.Open(c.files, geoip.Options{})
			require.ErrorContains(t, err, c.want)
			require.Nil(t, r)
		})
	}
}

// A sparse file of more than the maximum is refused before it is read.
func TestOpenRefusesHugeFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "huge")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, os.Truncate(path, 1<<30+1))
	_, err := geoip.Open([]string{path}, geoip.Options{})
	require.ErrorContains(t, err, "it has 1073741825 bytes, and may have 1073741824")
}
