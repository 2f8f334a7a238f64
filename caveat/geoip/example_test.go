package geoip_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/caveat/geoip"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store/memory"
)

// An authority that verifies caveats about countries.
func Example() {
	dir, err := os.MkdirTemp("", "geoip")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	countries := filepath.Join(dir, "GeoLite2-Country.mmdb")
	if err := os.WriteFile(countries, placesFile(), 0o600); err != nil { // a small one, for this example
		panic(err)
	}

	places, err := geoip.Open([]string{countries}, geoip.Options{})
	if err != nil {
		panic(err)
	}
	defer func() { _ = places.Close() }()
	ctx, records := context.Background(), memory.New()
	authority, err := macaroon.NewAuthority(records, macaroon.WithGeo(places))
	if err != nil {
		panic(err)
	}
	alice, err := authority.CreateUser(ctx, macaroon.NewUser{Username: "alice"})
	if err != nil {
		panic(err)
	}
	token, err := authority.IssueNamed(ctx, "in Poland", macaroon.Grant{
		Subject: alice, Type: macaroon.AccessToken(),
		Caveats: []caveat.Caveat{caveat.Country{Filter: caveat.Whitelist, List: []string{"PL"}}},
	})
	if err != nil {
		panic(err)
	}
	for _, address := range []string{"192.0.2.1", "198.51.100.7", "10.0.0.1"} {
		_, err := authority.VerifyAccess(ctx, token.String(), caveat.Request{IP: netip.MustParseAddr(address)})
		fmt.Println(address, err == nil)
	}

	// Output:
	// 192.0.2.1 true
	// 198.51.100.7 false
	// 10.0.0.1 false
}
