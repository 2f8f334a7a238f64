package caveat_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

func TestAListWithAdditionsDecidesAndNamesThem(t *testing.T) {
	t.Parallel()
	var onezone *caveat.Vocabulary
	own := onezone.ParseList([]string{"interface = rest"})
	day := time.Date(2026, 11, 29, 23, 30, 0, 0, time.FixedZone("west", -3600))
	added := []caveat.Addition{{Text: "ip = 10.0.0.0/8", Added: day}, {Text: "of nobody", Added: day}}
	l := own.With(added[:1]).With(added[1:])
	require.Equal(t, added, l.Additions())
	require.Equal(t, []string{"interface = rest", "ip = 10.0.0.0/8", "of nobody"}, l.Texts())
	require.Empty(t, own.Additions(), "the list itself changed")
	require.Equal(t, own, own.With(nil))

	req := caveat.Request{Interface: caveat.REST, IP: netip.MustParseAddr("192.0.2.1")}
	i, err := l.Check(t.Context(), caveat.UseAccess, &req)
	require.Equal(t, 1, i)
	require.ErrorIs(t, err, errors.IDTokenCaveatUnverified)
	require.ErrorContains(t, err, "because of a caveat added by the owner on 2026-11-30: ", "days are those of UTC")
	req.IP = netip.MustParseAddr("10.0.0.1")
	i, err = l.Check(t.Context(), caveat.UseAccess, &req)
	require.Equal(t, 2, i)
	require.ErrorIs(t, err, errors.IDTokenCaveatUnknown)
	req.Interface = caveat.Oneclient
	_, err = l.Check(t.Context(), caveat.UseAccess, &req)
	require.NotContains(t, err.Error(), "owner", "a caveat of the token itself")
	i, err = l.Check(t.Context(), caveat.UseInvite, &caveat.Request{})
	require.Equal(t, 0, i)
	require.Error(t, err)
	unsupported := onezone.ParseList(nil).With([]caveat.Addition{{Text: "interface = rest", Added: day}})
	_, err = unsupported.Check(t.Context(), caveat.UseInvite, &req)
	require.ErrorContains(t, err, "added by the owner")
}
