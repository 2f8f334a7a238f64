//go:build !race

package geoip_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// The race detector makes pools forget some objects, so this test is not for it.
func TestLookUpsDoNotAllocate(t *testing.T) {
	r, _ := open(t, placesFile(), systemsFile())
	ctx := t.Context()
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		for _, ip := range []netip.Addr{warsaw, warsaw6, zurich} {
			if _, err := r.Place(ctx, ip); err != nil {
				t.Error(err)
			}
		}
		if _, err := r.ASN(ctx, warsaw); err != nil {
			t.Error(err)
		}
	}))
}
