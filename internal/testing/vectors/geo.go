package vectors

import (
	"context"
	"fmt"
	"net/netip"
	"testing"

	"github.com/onezone-go/onezone/caveat"
)

// geo is the content of geo.json: the geo data of each address.
type geo map[netip.Addr]struct {
	ASN     uint32   `json:"asn"`
	Country string   `json:"country"`
	Regions []string `json:"regions"`
}

// continents maps the names of regions to the codes of continents. EU is a
// region but not a continent.
var continents = map[string]string{
	"Africa": "AF", "Antarctica": "AN", "Asia": "AS", "Europe": "EU",
	"NorthAmerica": "NA", "Oceania": "OC", "SouthAmerica": "SA",
}

// Geo returns the geo database that the vectors were made with. Looking up an
// address that is not in it is an error.
func Geo(t testing.TB) caveat.GeoResolver {
	t.Helper()
	data, err := read("geo.json")
	if err != nil {
		t.Fatalf("reading conformance vectors: %v", err)
	}
	var g geo
	if err := decode(data, &g); err != nil {
		t.Fatalf("decoding geo.json: %v", err)
	}
	for addr, entry := range g {
		for _, region := range entry.Regions {
			if continents[region] == "" && region != "EU" {
				t.Fatalf("geo.json: %v is in the unknown region %q", addr, region)
			}
		}
	}
	return g
}

func (g geo) ASN(_ context.Context, ip netip.Addr) (uint32, error) {
	entry, ok := g[ip]
	if !ok {
		return 0, fmt.Errorf("%v is not in the geo database", ip)
	}
	return entry.ASN, nil
}

func (g geo) Place(_ context.Context, ip netip.Addr) (caveat.Place, error) {
	entry, ok := g[ip]
	if !ok {
		return caveat.Place{}, fmt.Errorf("%v is not in the geo database", ip)
	}
	p := caveat.Place{Country: entry.Country}
	for _, region := range entry.Regions {
		if region == "EU" {
			p.EU = true
		} else {
			p.Continent = continents[region]
		}
	}
	return p, nil
}
