package main

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/onezone-go/onezone/caveat"
)

// contradictions returns the caveats that cannot hold together with earlier
// ones of the same type.
func contradictions(caveats []caveat.Caveat) []finding {
	var all []finding
	add := func(i int, what string) {
		if i >= 0 {
			all = append(all, finding{
				Caveat: i + 1, Problem: "it contradicts another caveat: " + what + ", so the token never verifies",
				Fix: "keep one of them, or list what is in both",
			})
		}
	}
	add(emptied(caveats, meetIP, func(c caveat.IP) []netip.Prefix { return c }), "no address is in all ip lists")
	add(emptied(caveats, same, func(c caveat.ASN) []uint32 { return c }), "no autonomous system is in all lists")
	add(emptied(caveats, same, func(c caveat.Interface) []caveat.Interface { return []caveat.Interface{c} }),
		"a client uses one interface")
	add(emptied(caveats, meetService, func(c caveat.Services) []caveat.Service { return c }), "no service is in all lists")
	add(emptied(caveats, meetConsumer, func(c caveat.Consumers) []caveat.Subject { return c }),
		"no consumer is in all lists")
	add(emptied(caveats, meetPath, func(c caveat.DataPath) []string { return c }),
		"no file is below the paths of all lists")
	add(emptied(without(caveats, excludedCountries(caveats)), same, func(c caveat.Country) []string { return c.List }),
		"no country is in all lists")
	add(emptied(without(caveats, excludedRegions(caveats)), meetRegion, func(c caveat.Region) []string { return c.List }),
		"no region is in all lists")
	return all
}

// emptied returns the index of the caveat of type C after which the lists have
// nothing in common, -1 if they have.
func emptied[C caveat.Caveat, T any](caveats []caveat.Caveat, meet func(a, b T) (T, bool), entries func(C) []T) int {
	var common []T
	first := true
	for i, each := range caveats {
		c, ok := each.(C)
		if !ok {
			continue
		}
		if first {
			common, first = entries(c), false
		} else {
			var next []T
			for _, a := range common {
				for _, b := range entries(c) {
					if both, ok := meet(a, b); ok {
						next = append(next, both)
					}
				}
			}
			common = next[:min(len(next), caveat.DefaultMaxEntries)]
		}
		if len(common) == 0 {
			return i
		}
	}
	return -1
}

func same[T comparable](a, b T) (T, bool) { return a, a == b }

func meetIP(a, b netip.Prefix) (netip.Prefix, bool) {
	both := a
	if a.Bits() < b.Bits() {
		both = b
	}
	return both, a.Overlaps(b)
}

func meetService(a, b caveat.Service) (caveat.Service, bool) {
	if a.ID == "*" {
		a, b = b, a
	}
	return a, a.Type == b.Type && (a.ID == b.ID || b.ID == "*")
}

// meetConsumer takes it that a user may be in any group.
func meetConsumer(a, b caveat.Subject) (caveat.Subject, bool) {
	if a.ID == "*" || a.Type == caveat.SubjectGroup {
		a, b = b, a
	}
	inGroup := b.Type == caveat.SubjectGroup && (a.Type == caveat.SubjectUser || a.Type == caveat.SubjectGroup)
	return a, a.Type == b.Type && (a.ID == b.ID || b.ID == "*") || inGroup
}

func meetPath(a, b string) (string, bool) {
	if len(a) < len(b) {
		a, b = b, a
	}
	return a, a == b || strings.HasPrefix(a, strings.TrimSuffix(b, "/")+"/")
}

// meetRegion takes it that a client in Europe may be in the EU.
func meetRegion(a, b string) (string, bool) {
	if a == "Europe" {
		a, b = b, a
	}
	return a, a == b || a == "EU" && b == "Europe"
}

// without returns the caveats, with the excluded countries or regions left out
// of the lists of allowed ones.
func without(caveats []caveat.Caveat, excluded []string) []caveat.Caveat {
	left := slices.Clone(caveats)
	remove := func(from []string) []string {
		return slices.DeleteFunc(slices.Clone(from), func(each string) bool { return slices.Contains(excluded, each) })
	}
	for i, each := range left {
		switch c := each.(type) {
		case caveat.Country:
			left[i] = caveat.Unknown("")
			if c.Filter == caveat.Whitelist {
				left[i] = caveat.Country{Filter: c.Filter, List: remove(c.List)}
			}
		case caveat.Region:
			left[i] = caveat.Unknown("")
			if c.Filter == caveat.Whitelist {
				left[i] = caveat.Region{Filter: c.Filter, List: remove(c.List)}
			}
		}
	}
	return left
}

func excludedCountries(caveats []caveat.Caveat) (all []string) {
	for _, each := range caveats {
		if c, ok := each.(caveat.Country); ok && c.Filter == caveat.Blacklist {
			all = append(all, c.List...)
		}
	}
	return all
}

func excludedRegions(caveats []caveat.Caveat) (all []string) {
	for _, each := range caveats {
		if c, ok := each.(caveat.Region); ok && c.Filter == caveat.Blacklist {
			all = append(all, c.List...)
		}
	}
	return all
}
