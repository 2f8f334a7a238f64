package discharge

import "github.com/onezone-go/onezone/macaroon/general"

// Bind returns the discharges bound to the macaroon, for one request or many. They
// are refused with any other macaroon. Bind them once, after the last caveat was
// added to the macaroon and to each of them.
//
// The error is badToken if one of the macaroons is zero.
func Bind(m general.Macaroon, discharges ...general.Macaroon) ([]general.Macaroon, error) {
	bound := make([]general.Macaroon, len(discharges))
	for i, d := range discharges {
		var err error
		if bound[i], err = d.BindTo(m); err != nil {
			return nil, err
		}
	}
	return bound, nil
}

// Needed returns the third-party caveats for which no discharge is among those
// given: of the macaroon, and of the discharges that it needs. It compares only
// identifiers, and verifies nothing. A client that has fetched the discharges of
// these caveats calls it again, until it returns none.
func Needed(m general.Macaroon, discharges ...general.Macaroon) []general.Caveat {
	given := make(map[string][]general.Macaroon, len(discharges))
	for _, d := range discharges {
		given[d.Identifier()] = append(given[d.Identifier()], d)
	}
	var needed []general.Caveat
	seen := make(map[string]bool)
	for open := []general.Macaroon{m}; len(open) > 0; open = open[1:] {
		for _, c := range open[0].Caveats() {
			if !c.IsThirdParty() || seen[c.Text] {
				continue
			}
			seen[c.Text] = true
			if found := given[c.Text]; len(found) > 0 {
				open = append(open, found...)
				continue
			}
			needed = append(needed, c)
		}
	}
	return needed
}
