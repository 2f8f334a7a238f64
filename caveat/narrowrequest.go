package caveat

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/bits"
	"net/netip"
	"slices"
	"time"
)

// The functions of this file derive caveats about the requests of a recording.

func narrowTime(_ context.Context, r Recording) (Proposal, bool) {
	until := r.Until
	reason := "the token should expire then"
	if until.IsZero() {
		for _, a := range r.Attempts {
			if a.Now.IsZero() {
				return Proposal{}, false
			}
			if a.Now.After(until) {
				until = a.Now
			}
		}
		until, reason = until.Add(time.Second), "the last request was a second before"
	}
	var leeway time.Duration
	for _, a := range r.Attempts {
		leeway = max(leeway, a.Leeway)
	}
	c := Until(until)
	at := time.Unix(c.ValidUntil, 0).Add(leeway).UTC()
	return Proposal{
		Caveat: c, Reason: reason, Refuses: "requests at and after " + at.Format(time.RFC3339),
		Mutations: []Mutation{
			r.mutate("at "+at.Format(time.RFC3339), func(a *Attempt) { a.Now = at }),
			r.mutate("a day later", func(a *Attempt) { a.Now = at.Add(24 * time.Hour) }),
		},
	}, true
}

// maxNetworks is the limit on the masks that Narrow derives.
const maxNetworks = 8

func narrowIP(_ context.Context, r Recording) (Proposal, bool) {
	var addresses []uint32
	for _, a := range r.Attempts {
		if !a.IP.Is4() {
			return Proposal{}, false
		}
		quad := a.IP.As4()
		addresses = append(addresses, binary.BigEndian.Uint32(quad[:]))
	}
	c := networks(addresses, maxNetworks)
	outside, ok := c.outside()
	if !ok {
		return Proposal{}, false
	}
	return Proposal{
		Caveat: c, Reason: "all clients have addresses in " + quoted(texts(c)), Refuses: "requests from all other addresses",
		Mutations: []Mutation{
			r.mutate("from "+outside.String(), func(a *Attempt) { a.IP = outside }),
			r.mutate("from an IPv6 address", func(a *Attempt) { a.IP = netip.IPv6Loopback() }),
			r.unlocated(),
		},
	}, true
}

// unlocated returns a mutation of unknown address.
func (r Recording) unlocated() Mutation {
	return r.mutate("from an unknown address", func(a *Attempt) { a.IP = netip.Addr{} })
}

// networks returns the smallest masks that contain the addresses, at most most.
// It separates the sorted addresses where neighbors have the shortest common
// prefixes.
func networks(addresses []uint32, most int) IP {
	slices.Sort(addresses)
	addresses = slices.Compact(addresses)
	common := func(i int) int { return bits.LeadingZeros32(addresses[i-1] ^ addresses[i]) }
	var starts []int // of the groups
	for i := 1; i < len(addresses); i++ {
		starts = append(starts, i)
	}
	slices.SortStableFunc(starts, func(i, j int) int { return common(i) - common(j) })
	starts = append(starts[:min(len(starts), most-1)], 0)
	slices.Sort(starts)
	var c IP
	for i, from := range starts {
		last := addresses[len(addresses)-1]
		if i+1 < len(starts) {
			last = addresses[starts[i+1]-1]
		}
		var quad [4]byte
		binary.BigEndian.PutUint32(quad[:], addresses[from])
		c = append(c, netip.PrefixFrom(netip.AddrFrom4(quad), bits.LeadingZeros32(addresses[from]^last)).Masked())
	}
	return c
}

// outside returns the address in none of the masks that differs least from one
// in the first. ok is false if the masks contain every address.
func (c IP) outside() (netip.Addr, bool) {
	for _, mask := range c {
		for bit := mask.Bits() - 1; bit >= 0; bit-- {
			quad := mask.Addr().As4()
			quad[bit/8] ^= 0x80 >> (bit % 8)
			addr := netip.AddrFrom4(quad)
			if !slices.ContainsFunc(c, func(m netip.Prefix) bool { return m.Contains(addr) }) {
				return addr, true
			}
		}
	}
	return netip.Addr{}, false
}

func narrowASN(ctx context.Context, r Recording) (Proposal, bool) {
	list, ok := distinct(r, maxNarrowed, func(a Attempt) (uint32, bool) {
		if _, missing := noPlace(&a); missing {
			return 0, false
		}
		number, err := a.Geo.ASN(ctx, a.IP)
		return number, err == nil
	})
	return Proposal{
		Caveat: ASN(list), Reason: "all addresses belong to these autonomous systems",
		Refuses: "requests from other autonomous systems", Mutations: []Mutation{r.unlocated()},
	}, ok
}

func narrowCountry(ctx context.Context, r Recording) (Proposal, bool) {
	list, ok := distinct(r, maxNarrowed, func(a Attempt) (string, bool) {
		at, err := place(ctx, &a.Request)
		if err != nil || at == nil {
			return "", false
		}
		return at.Country, at.Country != ""
	})
	return Proposal{
		Caveat: Country{Whitelist, list}, Reason: "all addresses are in these countries",
		Refuses: "requests from other countries", Mutations: []Mutation{r.unlocated()},
	}, ok
}

// narrowRegion is for recordings with too many countries for narrowCountry.
func narrowRegion(ctx context.Context, r Recording) (Proposal, bool) {
	if _, tighter := narrowCountry(ctx, r); tighter {
		return Proposal{}, false
	}
	list, ok := distinct(r, maxNarrowed, func(a Attempt) (string, bool) {
		at, err := place(ctx, &a.Request)
		if err != nil || at == nil || at.Country == "" {
			return "", false
		}
		return regionOf[at.Continent], regionOf[at.Continent] != ""
	})
	return Proposal{
		Caveat: Region{Whitelist, list}, Reason: "all addresses are in these regions",
		Refuses: "requests from other regions", Mutations: []Mutation{r.unlocated()},
	}, ok
}

func narrowIdentity(_ context.Context, r Recording) (Proposal, bool) {
	return Proposal{
		Caveat: IdentityOnly{}, Reason: "all requests only prove an identity", Refuses: "requests that the token should authorize",
		Mutations: []Mutation{r.mutate("to authorize an operation", func(a *Attempt) { a.ProveIdentity = false })},
	}, !slices.ContainsFunc(r.Attempts, func(a Attempt) bool { return !a.ProveIdentity })
}

func narrowServices(_ context.Context, r Recording) (Proposal, bool) {
	list, ok := distinct(r, maxNarrowed, func(a Attempt) (Service, bool) {
		return a.Service, !a.Service.IsZero() && isSingleID(a.Service.ID)
	})
	other := func(a *Attempt) {
		for slices.Contains(list, a.Service) {
			a.Service.ID += "-other"
		}
	}
	return Proposal{
		Caveat: Services(list), Reason: "these services received the token", Refuses: "requests to other services",
		Mutations: []Mutation{
			r.mutate("to another service", other),
			r.mutate("to an unknown service", func(a *Attempt) { a.Service = Service{} }),
		},
	}, ok
}

func narrowConsumers(_ context.Context, r Recording) (Proposal, bool) {
	list, ok := distinct(r, maxNarrowed, func(a Attempt) (Subject, bool) {
		return a.Consumer, !a.Consumer.IsZero() && isSingleID(a.Consumer.ID)
	})
	other := func(a *Attempt) {
		for slices.Contains(list, a.Consumer) {
			a.Consumer.ID += "-other"
		}
	}
	return Proposal{
		Caveat: Consumers(list), Reason: "these parties used the token", Refuses: "requests of other parties",
		Mutations: []Mutation{
			r.mutate("by another party", other),
			r.mutate("by nobody", func(a *Attempt) { a.Consumer = Nobody() }),
			r.mutate("by an unknown party", func(a *Attempt) { a.Consumer = Subject{} }),
		},
	}, ok
}

func narrowInterface(_ context.Context, r Recording) (Proposal, bool) {
	list, ok := distinct(r, 1, func(a Attempt) (Interface, bool) { return a.Interface, a.Interface != 0 })
	if !ok {
		return Proposal{}, false
	}
	p := Proposal{
		Caveat: list[0], Reason: fmt.Sprintf("all requests came through the interface %q", list[0].Name()),
		Refuses:   "requests through other interfaces",
		Mutations: []Mutation{r.mutate("through an unknown interface", func(a *Attempt) { a.Interface = 0 })},
	}
	for i := REST; i <= GraphSync; i++ {
		if i != list[0] {
			p.Mutations = append(p.Mutations, r.mutate("through "+i.Name(), func(a *Attempt) { a.Interface = i }))
		}
	}
	return p, true
}
