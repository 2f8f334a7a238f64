package rest

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

const headerForwardedFor = "X-Forwarded-For"

// ClientAddress returns the address of the client of a request: that of the
// connection, or the one that a trusted proxy reports. [NewHandler] and
// [Authenticate] use it with the networks of [WithTrustedProxies]. It is
// invalid if the address is unknown.
func ClientAddress(r *http.Request, proxies ...netip.Prefix) netip.Addr {
	peer := parseAddress(r.RemoteAddr)
	if !trusts(proxies, peer) {
		return peer
	}
	// Each proxy appends the address of its client. From the end, the first
	// address that is not a trusted proxy is the client; the addresses before
	// it may be forged. The lines are one list, which is not joined, because
	// there may be many.
	for _, line := range slices.Backward(r.Header.Values(headerForwardedFor)) {
		for line != "" {
			end := strings.LastIndexByte(line, ',')
			hop := strings.TrimSpace(line[end+1:])
			line = line[:max(end, 0)]
			if hop == "" {
				continue
			}
			// If an address cannot be parsed, the client is unknown rather than
			// the proxy.
			if peer = parseAddress(hop); !trusts(proxies, peer) {
				return peer
			}
		}
	}
	return peer
}

// parseAddress parses an address as proxies and net/http write it: with or
// without a port, brackets around IPv6, and quotes. It returns the zero Addr
// for other texts.
func parseAddress(text string) netip.Addr {
	var addr netip.Addr // stays zero after an error
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

// within returns the text without its opening and closing character, or
// unchanged if it does not begin and end with them.
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

// peer returns the address of the client. It logs a proxy on this machine that
// is not trusted once, because all clients then seem to have its address.
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
