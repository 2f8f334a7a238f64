package general

import (
	"fmt"
	"iter"
)

// pair finds the tokens among the macaroons of a bundle, and the discharges of
// each. problem says why the macaroons do not form a bundle, "" if they do.
//
// It visits each macaroon and each third-party caveat a fixed number of times.
func pair(macaroons []Macaroon) (entries []entry, problem string) {
	discharges, problem := findDischarges(macaroons)
	if problem != "" {
		return nil, problem
	}
	reached := 0
	for i, m := range macaroons {
		if _, isDischarge := discharges[m.Identifier()]; isDischarge {
			continue
		}
		e := entry{i}
		for at := 0; at < len(e); at++ { // the list grows
			for id := range macaroons[e[at]].thirdParties() {
				if discharge, ok := discharges[id]; ok {
					e = append(e, discharge)
				}
			}
		}
		reached += len(e)
		entries = append(entries, e)
	}
	if reached < len(macaroons) {
		return nil, "the bundle has discharges that need each other"
	}
	return entries, ""
}

// findDischarges returns the indexes of the macaroons that are discharges, by
// identifier.
func findDischarges(macaroons []Macaroon) (discharges map[string]int, problem string) {
	seen := make(map[string]int, len(macaroons)) // by signature, because texts have variants
	caveats := map[string]int{}                  // how many third-party caveats have an identifier
	for i, m := range macaroons {
		if first, repeated := seen[m.content.signature]; repeated {
			return nil, fmt.Sprintf("macaroon %d of the bundle is macaroon %d again", i+1, first+1)
		}
		seen[m.content.signature] = i
		for id := range m.thirdParties() {
			caveats[id]++
		}
	}
	discharges = make(map[string]int, len(caveats))
	for i, m := range macaroons {
		id := m.Identifier()
		other, repeated := discharges[id]
		switch {
		case caveats[id] == 0: // a token
		case caveats[id] > 1:
			return nil, fmt.Sprintf("macaroon %d of the bundle would discharge several caveats", i+1)
		case repeated:
			return nil, fmt.Sprintf("macaroons %d and %d of the bundle discharge the same caveat", other+1, i+1)
		default:
			discharges[id] = i
		}
	}
	return discharges, ""
}

// thirdParties returns the identifiers of the third-party caveats, in order.
func (m Macaroon) thirdParties() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, third := range m.content.ThirdParty {
			if !yield(m.content.Caveats[third.Index]) {
				return
			}
		}
	}
}
