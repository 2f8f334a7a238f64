package vectors

import (
	"testing"

	"github.com/onezone-go/onezone/caveat"
	golden "github.com/onezone-go/onezone/testdata/vectors"
)

// Geo returns the geo database that the vectors were made with. Looking up an
// address that is not in it is an error.
func Geo(t testing.TB) caveat.GeoResolver {
	t.Helper()
	data, err := read("geo.json")
	if err != nil {
		t.Fatalf("reading conformance vectors: %v", err)
	}
	g, err := golden.ParseGeo(data)
	if err != nil {
		t.Fatal(err)
	}
	return g
}
