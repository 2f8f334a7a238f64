package geoip_test

import (
	"path/filepath"
	"testing"

	"github.com/onezone-go/onezone/caveat/geoip"
)

// FuzzOpen changes files. Open must refuse them, or answer without a panic and
// only with countries that are codes.
func FuzzOpen(f *testing.F) {
	f.Add(placesFile())
	f.Add(systemsFile())
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "f.mmdb")
		write(t, path, content)
		r, err := geoip.Open([]string{path}, geoip.Options{CheckInterval: -1})
		if err != nil {
			return
		}
		if at, err := r.Place(t.Context(), warsaw); err == nil && len(at.Country) != 2 {
			t.Errorf("the country %q", at.Country)
		}
		if number, err := r.ASN(t.Context(), warsaw6); err == nil && number == 0 {
			t.Error("the number 0")
		}
	})
}
