package caveat

import (
	"context"
	"slices"
	"strings"
)

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

func newRegion(p places) Caveat { return Region(p) }

// Type returns [TypeRegion].
func (Region) Type() Type { return TypeRegion }

// String returns the text "geo.region = NAME|..." or "geo.region != NAME|...".
func (c Region) String() string { return places(c).text(TypeRegion) }

// MarshalJSON returns {"type":"geo.region","filter":FILTER,"list":[NAME,...]}.
func (c Region) MarshalJSON() ([]byte, error) { return places(c).json(TypeRegion) }

func (c Region) satisfied(ctx context.Context, req Request) (bool, error) {
	at, err := place(ctx, &req)
	if err != nil || at == nil || at.Country == "" || regionOf[at.Continent] == "" {
		return false, err
	}
	return places(c).holds(at.regions()...), nil
}

// regions returns the names of the regions of a place whose continent is known.
func (p Place) regions() []string {
	if p.EU {
		return []string{regionOf[p.Continent], regionEU}
	}
	return []string{regionOf[p.Continent]}
}

func (c Region) problem() string {
	return places(c).problem(func(name string) string {
		if !slices.Contains(Regions(), name) {
			return "every region must be one of " + strings.Join(Regions(), ", ")
		}
		return ""
	})
}

func (c Region) demand() string { return places(c).demand("regions") }

func (Region) explain(ctx context.Context, a *Attempt) Wording {
	return explainPlace(ctx, a, func(at Place) string {
		if regionOf[at.Continent] == "" {
			return ""
		}
		return "in " + quoted(at.regions())
	})
}
