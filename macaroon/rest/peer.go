package rest

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// peer returns the address of the client: that of the connection, or what a
// trusted proxy says in X-Forwarded-For. It is invalid where nothing is known.
func (c *config) peer(r *http.Request) netip.Addr {
	var peer netip.Addr
	if ap, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		// A dual-stack socket shows IPv4 clients as IPv4-mapped addresses.
		peer = ap.Addr().Unmap()
	}
	if !c.trusts(peer) {
		return peer
	}
	// Each proxy adds the address it was called from at the end. Walking back,
	// the first that is no proxy of ours is the client; what is before it, the
	// client may have made up.
	hops := strings.Join(r.Header.Values("X-Forwarded-For"), ",")
	for hops != "" {
		end := strings.LastIndexByte(hops, ',')
		hop := strings.TrimSpace(hops[end+1:])
		hops = hops[:max(end, 0)]
		if hop == "" {
			continue
		}
		addr, err := netip.ParseAddr(hop)
		if err != nil {
			return netip.Addr{} // better unknown than the proxy's own
		}
		if peer = addr.Unmap(); !c.trusts(peer) {
			break
		}
	}
	return peer
}

func (c *config) trusts(addr netip.Addr) bool {
	return slices.ContainsFunc(c.proxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}
