package caveat

import (
	"slices"
	"strings"

	"github.com/onezone-go/onezone/errors"
)

// offlineAPI is what every offline access token is good for at most.
var offlineAPI = specs(
	"opw/all/*.*.*:*",
	"ozw/get/user.*.*:*",
	"ozw/create/user.*.idp_access_token,*:*",
	"ozw/get/group.*.instance:shared",
	"ozw/get/space.*.*:*",
	"ozw/get/provider.*.*:*",
)

// OfflineAccess returns the caveats of the offline access token that a
// Oneprovider gets out of a token with the caveats cs: good until validUntil
// (Unix seconds), for that provider's worker as service and consumer, within
// the API of offline access, and under those of the caveats cs that limit
// interface, api or data, or that are not of the Onezone language. The others
// concern the client that has gone offline, and are dropped. An [Unknown] stays,
// and keeps the token from being made.
//
// The first three come in this order; the rest is sorted, without repetition.
//
// The error is badValueIdentifier {key "provider"} for a text that is not the id
// of one Oneprovider, such as "*", and badValueCaveat for a negative time.
func OfflineAccess(cs []Caveat, provider string, validUntil int64) ([]Caveat, error) {
	bounds := []Caveat{
		Time{validUntil},
		Services{{OpWorker, provider}},
		Consumers{Provider(provider)},
	}
	if !isOne(provider) || Validate(bounds[1]) != nil {
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
		if d := offlineRank(a) - offlineRank(b); d != 0 {
			return d
		}
		return strings.Compare(a.String(), b.String())
	})
	rest = slices.CompactFunc(rest, func(a, b Caveat) bool { return a.String() == b.String() })
	return append(bounds, rest...), nil
}

// offlineRank orders the caveats that go into an offline access token, those
// outside of the Onezone language last; 0 says that the caveat is left out.
func offlineRank(c Caveat) int {
	if r := language.byType[c.Type()]; r != nil {
		return r.rank
	}
	return len(rows)
}

// isOne reports whether the id is that of one entity: it is neither empty nor a
// word that stands for all of them, for none or for the client itself.
func isOne(id string) bool {
	switch id {
	case "", wildcard, "null", "self":
		return false
	}
	return true
}
