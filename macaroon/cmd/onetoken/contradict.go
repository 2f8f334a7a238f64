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
	add(emptiedPlaces[caveat.Country](caveats, same), "no country is in all lists")
	add(emptiedPlaces[caveat.Region](caveats, meetRegion), "no region is in all lists")
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

// places has the fields of caveats about countries and regions.
type places struct {
	Filter caveat.Filter
	List   []string
}

// emptiedPlaces is emptied for lists of allowed places, from which the lists of
// excluded ones are removed.
func emptiedPlaces[C interface {
	caveat.Country | caveat.Region
	caveat.Caveat
}](caveats []caveat.Caveat, meet func(a, b string) (string, bool)) int {
	var excluded []string
	allowed := slices.Clone(caveats)
	for i, each := range caveats {
		if c, ok := each.(C); ok && places(c).Filter != caveat.Whitelist {
			excluded = append(excluded, places(c).List...)
			allowed[i] = caveat.Unknown("")
		}
	}
	return emptied(allowed, meet, func(c C) []string {
		return slices.DeleteFunc(slices.Clone(places(c).List), func(each string) bool { return slices.Contains(excluded, each) })
	})
}
