package rest

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

const headerForwardedFor = "X-Forwarded-For"

// ClientAddress returns the address that a request came from, as [NewHandler] and
// [Authenticate] see it with [WithTrustedProxies]: that of the connection, or the
// one that a trusted proxy reports. It is invalid if the address is not known.
func ClientAddress(r *http.Request, proxies ...netip.Prefix) netip.Addr {
	peer := parseAddress(r.RemoteAddr)
	if !trusts(proxies, peer) {
		return peer
	}
	// Each proxy adds the address it was called from at the end. Walking back,
	// the first that is no proxy of ours is the client; what is before it, the
	// client may have made up. The lines are one list, which is not joined: there
	// may be many of them.
	for _, line := range slices.Backward(r.Header.Values(headerForwardedFor)) {
		for line != "" {
			end := strings.LastIndexByte(line, ',')
			hop := strings.TrimSpace(line[end+1:])
			line = line[:max(end, 0)]
			if hop == "" {
				continue
			}
			// One that cannot be read is better unknown than the proxy's own.
			if peer = parseAddress(hop); !trusts(proxies, peer) {
				return peer
			}
		}
	}
	return peer
}

// parseAddress reads an address as proxies and net/http write it: with or without
// a port, IPv6 in brackets or not, in quotes or not. The zero Addr is none.
func parseAddress(text string) netip.Addr {
	var addr netip.Addr // stays zero where there is an error
	text = within(text, '"', '"')
	if strings.Count(text, ":") == 1 || strings.Contains(text, "]:") {
		withPort, _ := netip.ParseAddrPort(text)
		addr = withPort.Addr()
	} else {
		addr, _ = netip.ParseAddr(within(text, '[', ']'))
	}
	// A dual-stack socket shows IPv4 clients as IPv4-mapped addresses. A zone says
	// nothing about the client, and no network contains an address with one.
	return addr.Unmap().WithZone("")
}

// within returns what a text has between an opening and a closing character, or
// the text if it does not begin and end with them.
func within(text string, opening, closing byte) string {
	if n := len(text); n >= 2 && text[0] == opening && text[n-1] == closing {
		return text[1 : n-1]
	}
	return text
}

// trusts reports whether one of the networks contains the address. A network of
// IPv4-mapped addresses is that of the IPv4 addresses.
func trusts(networks []netip.Prefix, addr netip.Addr) bool {
	const mappedBits = 96
	return slices.ContainsFunc(networks, func(n netip.Prefix) bool {
		if n.Addr().Is4In6() && n.Bits() >= mappedBits {
			n = netip.PrefixFrom(n.Addr().Unmap(), n.Bits()-mappedBits)
		}
		return n.Contains(addr)
	})
}

// peer returns the address of the client. It warns once of a proxy on this
// machine that is not trusted, because all clients then seem to be there.
func (c *config) peer(r *http.Request) netip.Addr {
	peer := ClientAddress(r, c.proxies...)
	if peer.IsLoopback() && (r.Header[headerForwardedFor] != nil || r.Header["Forwarded"] != nil) && !trusts(c.proxies, peer) {
		c.warned.Do(func() {
			c.log.WarnContext(r.Context(), "a proxy on this machine is not trusted, so all its clients have its address; "+
				"trust it, and have it send X-Forwarded-For", "peer", peer.String())
		})
	}
	return peer
}
