package caveat

import (
	"cmp"
	"slices"
	"strings"

	"github.com/onezone-go/onezone/errors"
)

// offlineAPI lists the operations that an offline access token may allow.
var offlineAPI = specs(
	"opw/all/*.*.*:*",
	"ozw/get/user.*.*:*",
	"ozw/create/user.*.idp_access_token,*:*",
	"ozw/get/group.*.instance:shared",
	"ozw/get/space.*.*:*",
	"ozw/get/provider.*.*:*",
)

// OfflineAccess returns the caveats of the offline access token that a
// Oneprovider gets for a token with the caveats cs:
//
//   - three caveats that limit it to the time before validUntil (Unix seconds),
//     to the provider's worker as service and consumer, and to the API of
//     offline access;
//   - then, sorted and without repetition, those of cs that limit interface,
//     api or data, or that are not of the Onezone language. An [Unknown] stays,
//     so that no token is issued.
//
// The other caveats of cs concern the client that is offline, and are dropped.
//
// The error is badValueIdentifier {key "provider"} for a text that is not the
// id of one Oneprovider, such as "*", and badValueCaveat for a negative time.
func OfflineAccess(cs []Caveat, provider string, validUntil int64) ([]Caveat, error) {
	bounds := []Caveat{
		Time{validUntil},
		Services{{OpWorker, provider}},
		Consumers{Provider(provider)},
	}
	if !isSingleID(provider) || Validate(bounds[1]) != nil {
		return nil, errors.BadValueIdentifier("provider")
	}
	if err := Validate(bounds[0]); err != nil {
		return nil, err
	}
	rest := []Caveat{slices.Clone(offlineAPI)}
	for _, c := range cs {
		if c = language.normalize(c); offlineRank(c) > 0 {
			rest = append(rest, c)
		}
	}
	slices.SortStableFunc(rest, func(a, b Caveat) int {
		return cmp.Or(offlineRank(a)-offlineRank(b), strings.Compare(a.String(), b.String()))
	})
	rest = slices.CompactFunc(rest, func(a, b Caveat) bool { return a.String() == b.String() })
	return append(bounds, rest...), nil
}

// offlineRank returns the position of the caveat in an offline access token,
// and 0 if it is dropped. Caveats outside the Onezone language come last.
func offlineRank(c Caveat) int {
	if r := language.byType[c.Type()]; r != nil {
		return r.rank
	}
	return len(rows)
}

// isSingleID reports whether the id identifies one entity: it is neither empty
// nor a word for all entities, for none or for the client itself.
func isSingleID(id string) bool {
	return !slices.Contains([]string{"", wildcard, "null", "self"}, id)
}
