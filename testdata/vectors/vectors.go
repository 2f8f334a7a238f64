// Package vectors contains the conformance vectors of the project, for programs
// that do not run in its directory. README.md describes each file.
package vectors

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"net/netip"

	"github.com/onezone-go/onezone/caveat"
)

// Files are the files of the vectors.
//
//go:embed *.jsonl geo.json
var Files embed.FS

// Verification is a line of verify.jsonl.
type Verification struct {
	Case    int    `json:"case"`
	Kind    string `json:"kind"`
	Secret  string `json:"secret"`
	Token   string `json:"token"`
	Context struct {
		Now                    int64           `json:"now"`
		Scope                  string          `json:"scope"`
		IP                     *string         `json:"ip"`
		Interface              *string         `json:"interface"`
		Service                *caveat.Service `json:"service"`
		Consumer               *caveat.Subject `json:"consumer"`
		Session                *Session        `json:"session"`
		AllowDataAccessCaveats bool            `json:"allowDataAccessCaveats"`
		GroupChecker           bool            `json:"groupChecker"`
		IgnoredCaveats         []caveat.Type   `json:"ignoredCaveats"`
	} `json:"context"`
	Result struct {
		OK *struct {
			Subject   *caveat.Subject `json:"subject"`
			Caveats   json.RawMessage `json:"caveats"`
			SessionID *string         `json:"sessionId"`
			PeerIP    *string         `json:"peerIp"`
		} `json:"ok"`
		Error    json.RawMessage `json:"error"`
		HTTPCode int             `json:"httpCode"`
	} `json:"result"`
}

// Session is the session of a Verification.
type Session struct {
	Any bool    `json:"any"`
	ID  *string `json:"id"`
}

// Authorization is a line of authorize.jsonl.
type Authorization struct {
	Case      int                `json:"case"`
	Caveats   []string           `json:"caveats"`
	Service   caveat.ServiceType `json:"service"`
	Operation string             `json:"operation"`
	GRI       string             `json:"gri"`
	Result    struct {
		OK       bool            `json:"ok"`
		Error    json.RawMessage `json:"error"`
		HTTPCode int             `json:"httpCode"`
	} `json:"result"`
}

// Scope is a line of scope.jsonl.
type Scope struct {
	Case              int                `json:"case"`
	Caveats           []string           `json:"caveats"`
	Spaces            []string           `json:"spaces"`
	AvailableSpaces   []string           `json:"availableSpaces"`
	Service           caveat.ServiceType `json:"service"`
	ServiceIDs        []string           `json:"serviceIds"`
	AllowedServiceIDs []string           `json:"allowedServiceIds"`
}

// Offline is a line of offline.jsonl.
type Offline struct {
	Case     int      `json:"case"`
	Caveats  []string `json:"caveats"`
	Provider string   `json:"provider"`
	Now      int64    `json:"now"`
	TTL      int64    `json:"ttl"`
	Result   []string `json:"result"`
}

// Read returns the lines of a file. Unknown members are an error.
func Read[T any](file string) ([]T, error) {
	data, err := Files.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read conformance vectors: %w", err)
	}
	var list []T
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	for d.More() {
		var v T
		if err := d.Decode(&v); err != nil {
			return nil, fmt.Errorf("decode line %d of %s: %w", len(list)+1, file, err)
		}
		list = append(list, v)
	}
	return list, nil
}

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

// ParseGeo returns the geo database that the vectors were made with, from the
// content of geo.json. Looking up an address that is not in it is an error.
func ParseGeo(data []byte) (caveat.GeoResolver, error) {
	var g geo
	if err := json.Unmarshal(data, &g); err != nil {
		return nil, fmt.Errorf("decode geo.json: %w", err)
	}
	for addr, entry := range g {
		for _, region := range entry.Regions {
			if continents[region] == "" && region != "EU" {
				return nil, fmt.Errorf("geo.json: %v is in the unknown region %q", addr, region)
			}
		}
	}
	return g, nil
}

// ASN returns the number of the autonomous system of the address.
func (g geo) ASN(_ context.Context, ip netip.Addr) (uint32, error) {
	entry, ok := g[ip]
	if !ok {
		return 0, fmt.Errorf("%v is not in the geo database", ip)
	}
	return entry.ASN, nil
}

// Place returns the place of the address.
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
