package macaroon

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKnownAddressesAreBoundedInMemory(t *testing.T) {
	t.Parallel()
	k := newKnownAddresses()
	for i := range 3 * maxKnownAddresses {
		k.add("carol", "home")
		k.add("carol", fmt.Sprint("hotel ", i))
	}
	require.Len(t, k.byUser, 1)
	require.True(t, k.has("carol", "home"), "it was used all the time")
	require.False(t, k.has("carol", "hotel 0"))
	require.Len(t, k.byUser[k.hash("carol")], maxKnownAddresses)
	require.LessOrEqual(t, cap(k.byUser[k.hash("carol")]), 2*maxKnownAddresses)
	for i := range maxKnownUsers + 100 {
		k.add(fmt.Sprint("user ", i), "home")
	}
	require.Len(t, k.byUser, maxKnownUsers)
	require.False(t, k.has("nobody", "home"))
	k.add("dave", unknownNetwork)
	require.False(t, k.has("dave", unknownNetwork))
}

func TestNetwork(t *testing.T) {
	t.Parallel()
	one, other := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::ffff:0:0:2%eth0")
	require.Equal(t, networkOf(one), networkOf(other), "a client has 64 bits for itself")
	require.NotEqual(t, networkOf(one), networkOf(netip.MustParseAddr("2001:db8:0:1::1")))
	require.NotEqual(t, networkOf(netip.MustParseAddr("192.0.2.1")), networkOf(netip.MustParseAddr("192.0.2.2")))
}
