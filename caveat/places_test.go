package caveat_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

func country(filter caveat.Filter, codes ...string) caveat.Country {
	return caveat.Country{Filter: filter, List: codes}
}

func region(filter caveat.Filter, names ...string) caveat.Region {
	return caveat.Region{Filter: filter, List: names}
}

func TestPlaceText(t *testing.T) {
	testCanonical(t, []canonical{
		{text: "geo.country = PL|FR|DE", value: country(caveat.Whitelist, "PL", "FR", "DE"), json: `{"type":"geo.country","filter":"whitelist","list":["PL","FR","DE"]}`},
		{text: "geo.country != RU", value: country(caveat.Blacklist, "RU"), json: `{"type":"geo.country","filter":"blacklist","list":["RU"]}`},
		{text: "geo.country = PL|", value: country(caveat.Whitelist, "PL", ""), json: `{"type":"geo.country","filter":"whitelist","list":["PL",""]}`},
		{text: "geo.country = |", value: country(caveat.Whitelist, "", ""), json: `{"type":"geo.country","filter":"whitelist","list":["",""]}`},
		{text: "geo.country = no such place", value: country(caveat.Whitelist, "no such place"), json: `{"type":"geo.country","filter":"whitelist","list":["no such place"]}`},
		{text: "geo.region = Asia|EU", value: region(caveat.Whitelist, "Asia", "EU"), json: `{"type":"geo.region","filter":"whitelist","list":["Asia","EU"]}`},
		{text: "geo.region != Atlantis|", value: region(caveat.Blacklist, "Atlantis", ""), json: `{"type":"geo.region","filter":"blacklist","list":["Atlantis",""]}`},
	})
	for _, head := range []string{"geo.country", "geo.region"} {
		unknownTexts(t, head, head+" ", head+" =", head+" = ", head+" != ", head+" !=", head+" =Asia", head+"= Asia",
			head+" == Asia", head+" ! = Asia", head+" < Asia", head+"  = Asia", " "+head+" = Asia")
	}
	unknownTexts(t, "geo = PL", "geo.country2 = PL", "geo.Country = PL", "country = PL")
}

func TestPlaceHolds(t *testing.T) {
	geo := geoTable{
		netip.MustParseAddr("1.0.0.1"): {place: caveat.Place{Country: "PL", Continent: "EU", EU: true}},
		netip.MustParseAddr("1.0.0.2"): {place: caveat.Place{Country: "CH", Continent: "EU"}},
		netip.MustParseAddr("1.0.0.3"): {place: caveat.Place{Country: "US", Continent: "NA"}},
		netip.MustParseAddr("1.0.0.4"): {place: caveat.Place{Country: "PL"}},
		netip.MustParseAddr("1.0.0.5"): {place: caveat.Place{Continent: "EU", EU: true}},
		netip.MustParseAddr("1.0.0.6"): {place: caveat.Place{Country: "XX", Continent: "??"}},
		netip.MustParseAddr("fd00::1"): {place: caveat.Place{Country: "PL", Continent: "EU", EU: true}},
	}
	for _, c := range []struct {
		text, peer string
		want       bool
	}{
		{"geo.country = PL|FR", "1.0.0.1", true},
		{"geo.country = FR|DE", "1.0.0.1", false},
		{"geo.country != FR|DE", "1.0.0.1", true},
		{"geo.country != FR|PL", "1.0.0.1", false},
		{"geo.country = PL", "fd00::1", true},
		// Codes are compared exactly with the upper-case codes of the database.
		{"geo.country = pl", "1.0.0.1", false},
		{"geo.country != pl", "1.0.0.1", true},
		// The country needs no continent; without the country it is unknown.
		{"geo.country = PL", "1.0.0.4", true},
		{"geo.country = |PL", "1.0.0.5", false},
		{"geo.country != RU", "1.0.0.5", false},
		// Without a mapping, a blacklist does not hold either.
		{"geo.country != RU", "9.9.9.9", false},

		{"geo.region = Europe", "1.0.0.1", true},
		{"geo.region = EU", "1.0.0.1", true},
		{"geo.region = Asia|EU", "1.0.0.1", true},
		{"geo.region = Asia", "1.0.0.1", false},
		{"geo.region != Europe", "1.0.0.1", false},
		{"geo.region != EU", "1.0.0.1", false},
		{"geo.region != Asia", "1.0.0.1", true},
		{"geo.region = Europe", "1.0.0.2", true},
		{"geo.region = EU", "1.0.0.2", false},
		{"geo.region != EU", "1.0.0.2", true},
		{"geo.region = NorthAmerica", "1.0.0.3", true},
		{"geo.region = NA", "1.0.0.3", false},
		{"geo.region = europe", "1.0.0.1", false},
		// Country and a valid continent are both needed.
		{"geo.region != Asia", "1.0.0.4", false},
		{"geo.region != Asia", "1.0.0.5", false},
		{"geo.region = EU", "1.0.0.5", false},
		{"geo.region != Asia", "1.0.0.6", false},
		{"geo.region = |", "1.0.0.6", false},
		{"geo.region != Asia", "9.9.9.9", false},
	} {
		holds(t, c.want, c.text, &caveat.Request{IP: netip.MustParseAddr(c.peer), Geo: geo})
	}
	for _, text := range []string{"geo.country = PL", "geo.country != RU", "geo.region = EU", "geo.region != Asia"} {
		holds(t, false, text, &caveat.Request{Geo: geo})
		holds(t, false, text, &caveat.Request{IP: netip.MustParseAddr("1.0.0.1")})
	}
}

func TestUnknownAddressIsNotLookedUp(t *testing.T) {
	everywhere := geoTable{netip.Addr{}: {asn: 5, place: caveat.Place{Country: "PL", Continent: "EU"}}}
	for _, text := range []string{"geo.country = PL", "geo.country != RU", "geo.region = Europe", "geo.region != Asia", "asn = 5"} {
		holds(t, false, text, &caveat.Request{Geo: everywhere})
	}
}

func TestEveryContinentIsARegion(t *testing.T) {
	peer := netip.MustParseAddr("1.0.0.1")
	for code, name := range map[string]string{
		"AF": "Africa", "AN": "Antarctica", "AS": "Asia", "EU": "Europe",
		"NA": "NorthAmerica", "OC": "Oceania", "SA": "SouthAmerica",
	} {
		geo := geoTable{peer: {place: caveat.Place{Country: "PL", Continent: code}}}
		holds(t, true, "geo.region = "+name, &caveat.Request{IP: peer, Geo: geo})
		holds(t, false, "geo.region != "+name, &caveat.Request{IP: peer, Geo: geo})
		assert.Contains(t, caveat.Regions(), name)
	}
	assert.Len(t, caveat.Regions(), 8)
	assert.Contains(t, caveat.Regions(), "EU")
}

func TestPlaceRefusalKeepsTheFailedLookup(t *testing.T) {
	req := &caveat.Request{IP: netip.MustParseAddr("9.9.9.9"), Geo: geoTable{}}
	for _, c := range []caveat.Caveat{country(caveat.Blacklist, "RU"), region(caveat.Blacklist, "Asia")} {
		err := caveat.Check(t.Context(), c, req)
		requireUnverified(t, err, c)
		assert.ErrorIs(t, err, errDown)
		assert.ErrorIs(t, err, errors.IDTokenCaveatUnverified)
	}
}

func TestPlaceWithoutFilterNeverHolds(t *testing.T) {
	peer := netip.MustParseAddr("1.0.0.1")
	req := &caveat.Request{IP: peer, Geo: geoTable{peer: {place: caveat.Place{Country: "PL", Continent: "EU"}}}}
	for _, c := range []caveat.Caveat{caveat.Country{}, country(0, "PL"), country(3, "RU"), caveat.Region{}, region(0, "Europe")} {
		requireUnverified(t, caveat.Check(t.Context(), c, req), c)
	}
	assert.Equal(t, "unknown", caveat.Filter(0).String())
}

func TestNewPlace(t *testing.T) {
	testNew(t, []newCase{
		{country(caveat.Whitelist, "PL", "pl", "12", "ż"), ""},
		{country(caveat.Blacklist, "PL"), ""},
		{country(caveat.Whitelist), "the list must not be empty"},
		{country(0, "PL"), "the filter must be"},
		{country(3, "PL"), "the filter must be"},
		{country(caveat.Whitelist, "PL", "P"), "code of two bytes"},
		{country(caveat.Whitelist, "POL"), "code of two bytes"},
		{country(caveat.Whitelist, ""), "code of two bytes"},
		{country(caveat.Whitelist, "P|"), "code of two bytes"},
		{country(caveat.Whitelist, "P\n"), "code of two bytes"},
		{country(caveat.Whitelist, "\u0085"), "code of two bytes"},
		{country(caveat.Whitelist, "\xff\xfe"), "valid UTF-8"},
		{region(caveat.Whitelist, caveat.Regions()...), ""},
		{region(caveat.Blacklist, "EU"), ""},
		{region(caveat.Blacklist), "the list must not be empty"},
		{region(0, "EU"), "the filter must be"},
		{region(caveat.Whitelist, "EU", "europe"), "every region must be one of Africa, Antarctica"},
		{region(caveat.Whitelist, "Asia|EU"), "every region must be one of"},
	})
}
