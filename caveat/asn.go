package caveat

import (
	"context"
	"fmt"
	"slices"
	"strconv"
)

// ASN is the caveat "asn = NUMBER|...": the client's address must belong to one
// of the autonomous systems.
type ASN []uint32

func parseASN(entry string) (uint32, error) {
	n, ok := parseDecimal(entry, 32)
	if !ok {
		return 0, errEntry
	}
	return uint32(n), nil
}

// Type returns [TypeASN].
func (ASN) Type() Type { return TypeASN }

// String returns the text "asn = NUMBER|...".
func (c ASN) String() string {
	return joinList("asn = ", c, func(b []byte, n uint32) []byte { return strconv.AppendUint(b, uint64(n), 10) })
}

// MarshalJSON returns {"type":"asn","whitelist":[NUMBER,...]}.
func (c ASN) MarshalJSON() ([]byte, error) { return whitelistJSON(TypeASN, c) }

func (c ASN) satisfied(ctx context.Context, req Request) (bool, error) {
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

func (c ASN) demand() string {
	numbers := make([]string, len(c))
	for i, n := range c {
		numbers[i] = strconv.FormatUint(uint64(n), 10)
	}
	return "the client's address must belong to one of the autonomous systems " + quoted(numbers)
}

func readASN(o object, most int) (Caveat, string) {
	var list ASN
	for _, r := range o.list("whitelist", most) {
		n, ok := integer(r)
		if !ok || n < 0 || n > 1<<32-1 {
			return nil, "every entry must be an integer from 0 to 4294967295"
		}
		list = append(list, uint32(n))
	}
	if list == nil {
		return nil, notThisForm
	}
	return list, ""
}

func (ASN) explain(ctx context.Context, a *Attempt) Wording {
	if words, ok := noPlace(a); ok {
		return words
	}
	number, err := a.Geo.ASN(ctx, a.IP)
	if err != nil {
		return unlocated(a)
	}
	return Wording{Reason: fmt.Sprintf("the client's address %v belongs to the autonomous system %d", a.IP, number)}
}
