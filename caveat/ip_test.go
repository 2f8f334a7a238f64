package caveat_test

import (
	"math"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

func prefixes(texts ...string) caveat.IP {
	list := make(caveat.IP, len(texts))
	for i, text := range texts {
		list[i] = netip.MustParsePrefix(text)
	}
	return list
}

func TestIPText(t *testing.T) {
	testCanonical(t, []canonical{
		{
			text:  "ip = 189.34.15.0/8|127.0.0.0/24|167.73.12.17",
			value: prefixes("189.34.15.0/8", "127.0.0.0/24", "167.73.12.17/32"),
			print: "ip = 189.34.15.0/8|127.0.0.0/24|167.73.12.17/32",
			json:  `{"type":"ip","whitelist":["189.34.15.0/8","127.0.0.0/24","167.73.12.17/32"]}`,
		},
		{text: "ip = 0.0.0.0/0", value: prefixes("0.0.0.0/0"), json: `{"type":"ip","whitelist":["0.0.0.0/0"]}`},
		{text: "ip = 1.2.3.4/32", value: prefixes("1.2.3.4/32"), json: `{"type":"ip","whitelist":["1.2.3.4/32"]}`},
	})
	unknownTexts(t,
		"ip", "ip ", "ip =", "ip = ", "ip =1.2.3.4", "ip= 1.2.3.4", "ip != 1.2.3.4", "ip < 1.2.3.4", "IP = 1.2.3.4",
		"ip = 1.2.3", "ip = 1.2.3.4.5", "ip = 1.2.3.256", "ip = 01.2.3.4", "ip = 0x1.2.3.4", "ip = 16909060",
		"ip = +1.2.3.4", "ip = -1.2.3.4", "ip =  1.2.3.4", "ip = 1.2.3.4 ", "ip = 1.2.3.4\n",
		"ip = 1.2.3.4/", "ip = /1.2.3.4", "ip = 1.2.3.4//8", "ip = 1.2.3.4/8/", "ip = 1.2.3.4/8/8", "ip = /8",
		"ip = 1.2.3.4/33", "ip = 1.2.3.4/-1", "ip = 1.2.3.4/+8", "ip = 1.2.3.4/08", "ip = 1.2.3.4/8.0",
		"ip = 1.2.3.4/4294967304", "ip = 1.2.3.4|", "ip = |1.2.3.4", "ip = 1.2.3.4||5.6.7.8", "ip = |",
		"ip = ::1", "ip = ::1/128", "ip = ::ffff:1.2.3.4", "ip = ::ffff:1.2.3.4/104", "ip = fe80::1%eth0")
}

func TestIPHoldsInsideAMask(t *testing.T) {
	for _, c := range []struct {
		text, peer string
		want       bool
	}{
		{"ip = 10.1.2.3", "10.1.2.3", true},
		{"ip = 10.1.2.3", "10.1.2.4", false},
		{"ip = 10.1.2.3/31", "10.1.2.2", true},
		{"ip = 10.1.2.3/31", "10.1.2.4", false},
		{"ip = 10.1.2.3/8", "10.255.255.255", true},
		{"ip = 10.1.2.3/8", "11.0.0.0", false},
		{"ip = 1.1.1.1|10.0.0.0/8", "10.9.9.9", true},
		{"ip = 1.1.1.1|10.0.0.0/8", "1.1.1.2", false},
		{"ip = 1.2.3.4/0", "255.255.255.255", true},
		{"ip = 1.2.3.4/0", "0.0.0.0", true},
		{"ip = 1.2.3.4/0", "::1", false},
		{"ip = 1.2.3.4/0", "::ffff:1.2.3.4", false},
		{"ip = 1.2.3.4", "::ffff:1.2.3.4", false},
		{"ip = 0.0.0.1", "::1", false},
		{"ip = 0.0.0.0/0", "fe80::1%eth0", false},
	} {
		holds(t, c.want, c.text, &caveat.Request{IP: netip.MustParseAddr(c.peer)})
	}
	holds(t, false, "ip = 0.0.0.0/0", &caveat.Request{})
}

func TestNewIP(t *testing.T) {
	testNew(t, []newCase{
		{prefixes("10.0.0.1/8"), ""},
		{caveat.IP{}, "the list must not be empty"},
		{caveat.IP(nil), "the list must not be empty"},
		{caveat.IP{netip.Prefix{}}, "every mask must be an IPv4 address"},
		{prefixes("10.0.0.1/8", "::1/128"), "every mask must be an IPv4 address"},
		{prefixes("::ffff:1.2.3.4/128"), "every mask must be an IPv4 address"},
		{caveat.IP{netip.PrefixFrom(netip.MustParseAddr("1.2.3.4"), 33)}, "every mask must be an IPv4 address"},
	})
}

func TestASNText(t *testing.T) {
	testCanonical(t, []canonical{
		{text: "asn = 322|64", value: caveat.ASN{322, 64}, json: `{"type":"asn","whitelist":[322,64]}`},
		{text: "asn = 0", value: caveat.ASN{0}, json: `{"type":"asn","whitelist":[0]}`},
		{text: "asn = 4294967295", value: caveat.ASN{math.MaxUint32}, json: `{"type":"asn","whitelist":[4294967295]}`},
	})
	unknownTexts(t, "asn", "asn =", "asn = ", "asn = a", "asn = 1|", "asn = |1", "asn = 1||2", "asn = +1", "asn = -1",
		"asn = 01", "asn = 1.0", "asn = 4294967296", "asn = 1, 2", "asn != 1")
}

func TestASNHoldsForItsNumbers(t *testing.T) {
	geo := geoTable{netip.MustParseAddr("1.2.3.4"): {asn: 64}}
	from := func(peer string) *caveat.Request { return &caveat.Request{IP: netip.MustParseAddr(peer), Geo: geo} }
	holds(t, true, "asn = 322|64", from("1.2.3.4"))
	holds(t, false, "asn = 322|640", from("1.2.3.4"))
	holds(t, false, "asn = 64", from("1.2.3.5"))
	holds(t, false, "asn = 0", &caveat.Request{Geo: geo})
	holds(t, false, "asn = 64", &caveat.Request{IP: netip.MustParseAddr("1.2.3.4")})
}

func TestASNRefusalKeepsTheFailedLookup(t *testing.T) {
	req := &caveat.Request{IP: netip.MustParseAddr("9.9.9.9"), Geo: geoTable{}}
	err := caveat.Check(t.Context(), caveat.ASN{0}, req)
	assert.ErrorIs(t, err, errors.IDTokenCaveatUnverified)
	assert.ErrorIs(t, err, errDown)
	assert.NotContains(t, err.Error(), errDown.Error(), "the cause is not for the client")
}

func TestNewASN(t *testing.T) {
	testNew(t, []newCase{
		{caveat.ASN{0, math.MaxUint32}, ""},
		{caveat.ASN{}, "the list must not be empty"},
	})
}
