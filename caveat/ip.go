package caveat

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/onezone-go/onezone/errors"
)

// IP is the caveat "ip = MASK|...": the client's address is in one of the
// masks. A mask is an IPv4 prefix; its host bits are kept but not compared.
type IP []netip.Prefix

func parseIP(value string) (Caveat, bool) {
	list, ok := parseList(value, parseMask)
	return IP(list), ok
}

// parseMask reads "A.B.C.D" and "A.B.C.D/LEN".
func parseMask(s string) (netip.Prefix, error) {
	var mask netip.Prefix
	var err error
	if strings.Contains(s, "/") {
		mask, err = netip.ParsePrefix(s)
	} else {
		var addr netip.Addr
		addr, err = netip.ParseAddr(s)
		mask = netip.PrefixFrom(addr, 32)
	}
	if err != nil || !mask.Addr().Is4() {
		return netip.Prefix{}, badMask()
	}
	return mask, nil
}

func badMask() error {
	return errors.BadDataHint("ip", "expected an IPv4 address or A.B.C.D/LENGTH")
}

// Type returns [TypeIP].
func (IP) Type() Type { return TypeIP }

// String returns the text "ip = A.B.C.D/LEN|...".
func (c IP) String() string { return joinList("ip = ", c, netip.Prefix.String) }

// MarshalJSON returns {"type":"ip","whitelist":["A.B.C.D/LEN",...]}.
func (c IP) MarshalJSON() ([]byte, error) { return whitelistJSON(TypeIP, texts(c)) }

func (c IP) satisfied(_ context.Context, req *Request) (bool, error) {
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

func (c IP) entries() int { return len(c) }

func (c IP) demand() string {
	return "the client's address must be in one of the networks " + quoted(texts(c))
}

// ASN is the caveat "asn = NUMBER|...": the client's address is announced by
// one of the autonomous systems.
type ASN []uint32

func parseASN(value string) (Caveat, bool) {
	list, ok := parseList(value, func(s string) (uint32, error) {
		n, ok := parseDecimal(s, 32)
		if !ok {
			return 0, errors.BadDataHint("asn", "expected a decimal number of 32 bits")
		}
		return uint32(n), nil
	})
	return ASN(list), ok
}

func asnText(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// Type returns [TypeASN].
func (ASN) Type() Type { return TypeASN }

// String returns the text "asn = NUMBER|...".
func (c ASN) String() string { return joinList("asn = ", c, asnText) }

// MarshalJSON returns {"type":"asn","whitelist":[NUMBER,...]}.
func (c ASN) MarshalJSON() ([]byte, error) { return whitelistJSON(TypeASN, c) }

func (c ASN) satisfied(ctx context.Context, req *Request) (bool, error) {
	if !req.IP.IsValid() || req.Geo == nil {
		return false, nil
	}
	actual, err := req.Geo.ASN(ctx, req.IP)
	if err != nil {
		return false, lookup("the autonomous system of the client's address", err)
	}
	return slices.Contains(c, actual), nil
}

func (c ASN) problem() string { return firstProblem(c, func(uint32) string { return "" }) }
func (c ASN) entries() int    { return len(c) }

func (c ASN) demand() string {
	numbers := make([]string, len(c))
	for i, n := range c {
		numbers[i] = asnText(n)
	}
	return "the client's address must belong to one of the autonomous systems " + quoted(numbers)
}
