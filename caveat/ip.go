package caveat

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// IP is the caveat "ip = MASK|...": the client's address is in one of the
// masks. A mask is an IPv4 prefix; its host bits are kept but not compared.
type IP []netip.Prefix

// parseMask reads "A.B.C.D" and "A.B.C.D/LEN".
func parseMask(s string) (netip.Prefix, error) {
	address, length, masked := strings.Cut(s, "/")
	bits := int64(32)
	addr, ok := parseIPv4(address)
	if masked && ok {
		bits, ok = parseDecimal(length, 6)
	}
	if !ok || bits > 32 {
		return netip.Prefix{}, errEntry
	}
	return netip.PrefixFrom(addr, int(bits)), nil
}

// parseIPv4 reads a strict dotted quad: four numbers from 0 to 255 without
// leading zeros. It takes a third of the time of netip.ParseAddr, which every
// verification of a token with an ip caveat would spend.
func parseIPv4(s string) (addr netip.Addr, ok bool) {
	var quad [4]byte
	part, digits := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.' && digits > 0 && part < 3:
			part, digits = part+1, 0
		case '0' <= c && c <= '9' && (digits == 0 || quad[part] != 0):
			n := int(quad[part])*10 + int(c-'0')
			if n > 255 {
				return netip.Addr{}, false
			}
			quad[part], digits = byte(n), digits+1
		default:
			return netip.Addr{}, false
		}
	}
	return netip.AddrFrom4(quad), part == 3 && digits > 0
}

// Type returns [TypeIP].
func (IP) Type() Type { return TypeIP }

// String returns the text "ip = A.B.C.D/LEN|...".
func (c IP) String() string {
	return joinList("ip = ", c, func(b []byte, mask netip.Prefix) []byte { return mask.AppendTo(b) })
}

// MarshalJSON returns {"type":"ip","whitelist":["A.B.C.D/LEN",...]}.
func (c IP) MarshalJSON() ([]byte, error) { return whitelistJSON(TypeIP, texts(c)) }

func (c IP) satisfied(_ context.Context, req Request) (bool, error) {
	return slices.ContainsFunc(c, func(mask netip.Prefix) bool { return mask.Contains(req.IP) }), nil
}

func (c IP) problem() string {
	return firstProblem(c, func(m netip.Prefix) string {
		if !m.IsValid() || !m.Addr().Is4() {
			return "every mask must be an IPv4 address or A.B.C.D/LENGTH"
		}
		return ""
	})
}

func (c IP) demand() string {
	return "the client's address must be in one of the networks " + quoted(texts(c))
}

func (IP) explain(_ context.Context, a *Attempt) Wording {
	switch {
	case !a.IP.IsValid():
		return unknownAddress
	case !a.IP.Is4():
		return Wording{Reason: fmt.Sprintf("the client's address is %v, and masks match only IPv4", a.IP)}
	}
	return Wording{Reason: fmt.Sprintf("the client's address is %v, at all times", a.IP)}
}

// unknownAddress explains caveats about the address of a client without one.
var unknownAddress = Wording{Reason: "the client's address is unknown", Missing: true}
