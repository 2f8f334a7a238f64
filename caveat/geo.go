package caveat

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/onezone-go/onezone/internal/environment"
)

// Filter tells how a list of places is meant. The zero Filter is invalid.
type Filter uint8

// The filters.
const (
	Whitelist Filter = iota + 1 // one of the list: "="
	Blacklist                   // none of the list: "!="
)

// String returns the JSON name, "whitelist" or "blacklist".
func (f Filter) String() string {
	switch f {
	case Whitelist:
		return "whitelist"
	case Blacklist:
		return "blacklist"
	}
	return "unknown"
}

// places is what country and region caveats share.
type places struct {
	filter Filter
	list   []string
}

// parse reads what follows the head: "= A|B" or "!= A|B". The entries are not
// looked at, as in the original.
func (p *places) parse(value string) (ok bool) {
	list, white := strings.CutPrefix(value, "= ")
	p.filter = Whitelist
	if !white {
		if list, ok = strings.CutPrefix(value, "!= "); !ok {
			return false
		}
		p.filter = Blacklist
	}
	p.list, ok = parseList(nil, list, verbatim)
	return ok
}

func (p places) text(t Type) string {
	operator := " = "
	if p.filter == Blacklist {
		operator = " != "
	}
	return joinList(string(t)+operator, p.list, writeText)
}

func (p places) json(t Type) ([]byte, error) {
	return json.Marshal(struct {
		Type   Type     `json:"type"`
		Filter string   `json:"filter"`
		List   []string `json:"list"`
	}{t, p.filter.String(), p.list})
}

func (p places) holds(actual ...string) bool {
	listed := slices.ContainsFunc(actual, func(a string) bool { return slices.Contains(p.list, a) })
	switch p.filter {
	case Whitelist:
		return listed
	case Blacklist:
		return !listed
	}
	return false
}

func (p places) problem(entry func(string) string) string {
	if p.filter != Whitelist && p.filter != Blacklist {
		return "the filter must be whitelist or blacklist"
	}
	return firstProblem(p.list, entry)
}

func (p places) demand(what string) string {
	if p.filter == Blacklist {
		return fmt.Sprintf("the client's address must be known not to come from the %s %s", what, quoted(p.list))
	}
	return fmt.Sprintf("the client's address must come from one of the %s %s", what, quoted(p.list))
}

func lookup(what string, err error) error { return environment.Error("looking up "+what, err) }

// place looks up where the client is. No place and no error: nothing can be
// looked up, because the address or the resolver is missing.
func place(ctx context.Context, req *Request) (*Place, error) {
	if !req.IP.IsValid() || req.Geo == nil {
		return nil, nil
	}
	p, err := req.Geo.Place(ctx, req.IP)
	if err != nil {
		return nil, lookup("the place of the client's address", err)
	}
	return &p, nil
}

// Country is the caveat "geo.country = CODE|..." or, with [Blacklist],
// "geo.country != CODE|...". Codes are compared exactly with the upper-case ISO
// codes of the geo database. An address that is not in the database satisfies
// neither form.
type Country struct {
	Filter Filter
	List   []string // codes of two bytes
}

func parseCountry(value string) (Caveat, bool) {
	var p places
	ok := p.parse(value)
	return Country{p.filter, p.list}, ok
}

func (c Country) places() places { return places{c.Filter, c.List} }

// Type returns [TypeCountry].
func (Country) Type() Type { return TypeCountry }

// String returns the text "geo.country = CODE|..." or "geo.country != CODE|...".
func (c Country) String() string { return c.places().text(TypeCountry) }

// MarshalJSON returns {"type":"geo.country","filter":FILTER,"list":[CODE,...]}.
func (c Country) MarshalJSON() ([]byte, error) { return c.places().json(TypeCountry) }

func (c Country) satisfied(ctx context.Context, req Request) (bool, error) {
	at, err := place(ctx, &req)
	if err != nil || at == nil || at.Country == "" {
		return false, err
	}
	return c.places().holds(at.Country), nil
}

func (c Country) problem() string {
	return c.places().problem(func(code string) string {
		if len(code) != 2 || strings.ContainsFunc(code, isUnfit) {
			return `every country must be a code of two bytes without "|" and control characters`
		}
		return ""
	})
}

func (c Country) entries() int   { return len(c.List) }
func (c Country) demand() string { return c.places().demand("countries") }

// Region is the caveat "geo.region = NAME|..." or, with [Blacklist],
// "geo.region != NAME|...". A region is a continent or EU; a member of the
// European Union is in both. An address that is not in the database satisfies
// neither form.
type Region struct {
	Filter Filter
	List   []string // names of [Regions]
}

// regionOf maps continent codes to the names of regions.
var regionOf = map[string]string{
	"AF": "Africa", "AN": "Antarctica", "AS": "Asia", "EU": "Europe",
	"NA": "NorthAmerica", "OC": "Oceania", "SA": "SouthAmerica",
}

const regionEU = "EU"

// Regions returns the names that a new region caveat may list.
func Regions() []string {
	return []string{"Africa", "Antarctica", "Asia", "Europe", regionEU, "NorthAmerica", "Oceania", "SouthAmerica"}
}

func parseRegion(value string) (Caveat, bool) {
	var p places
	ok := p.parse(value)
	return Region{p.filter, p.list}, ok
}

func (c Region) places() places { return places{c.Filter, c.List} }

// Type returns [TypeRegion].
func (Region) Type() Type { return TypeRegion }

// String returns the text "geo.region = NAME|..." or "geo.region != NAME|...".
func (c Region) String() string { return c.places().text(TypeRegion) }

// MarshalJSON returns {"type":"geo.region","filter":FILTER,"list":[NAME,...]}.
func (c Region) MarshalJSON() ([]byte, error) { return c.places().json(TypeRegion) }

func (c Region) satisfied(ctx context.Context, req Request) (bool, error) {
	at, err := place(ctx, &req)
	if err != nil || at == nil || at.Country == "" || regionOf[at.Continent] == "" {
		return false, err
	}
	actual := []string{regionOf[at.Continent]}
	if at.EU {
		actual = append(actual, regionEU)
	}
	return c.places().holds(actual...), nil
}

func (c Region) problem() string {
	return c.places().problem(func(name string) string {
		if !slices.Contains(Regions(), name) {
			return "every region must be one of " + strings.Join(Regions(), ", ")
		}
		return ""
	})
}

func (c Region) entries() int   { return len(c.List) }
func (c Region) demand() string { return c.places().demand("regions") }
