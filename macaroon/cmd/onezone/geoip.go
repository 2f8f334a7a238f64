package main

import (
	"fmt"
	"log/slog"

	"github.com/onezone-go/onezone/caveat/geoip"
)

// openGeo opens the geo databases of --geoip. The result is nil if there are
// none.
func (s settings) openGeo(log *slog.Logger) (*geoip.Resolver, error) {
	if len(s.geoip) == 0 {
		return nil, nil
	}
	r, err := geoip.Open(s.geoip, geoip.Options{Logger: log})
	if err != nil {
		return nil, fmt.Errorf("--geoip: %w", err)
	}
	return r, nil
}
