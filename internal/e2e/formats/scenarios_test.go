//go:build e2e

package formats

import (
	"strings"

	"github.com/onezone-go/onezone/internal/testing/vtest"
)

// scenario is a macaroon to make, with its discharges, and what verifying it must
// say.
type scenario struct {
	name    string
	key     string // with which it is verified
	exact   []string
	verdict vtest.Verdict

	Root       spec   `json:"root"`
	Discharges []spec `json:"discharges"`
}

// spec describes a macaroon.
type spec struct {
	Location   string       `json:"location"`
	Identifier string       `json:"identifier"`
	Key        string       `json:"key"`
	Caveats    []caveatSpec `json:"caveats"`
	Unbound    bool         `json:"unbound"`
	BoundTo    *spec        `json:"boundTo"` // nil: to the macaroon of the scenario
}

// caveatSpec is a first-party caveat, or a third-party one if it has a key.
type caveatSpec struct {
	Text     string `json:"text"`
	Location string `json:"location"`
	Key      string `json:"key"`
}

const now = 1_700_000_000

// macaroonWith returns a macaroon with these caveats.
func macaroonWith(caveats ...caveatSpec) spec {
	if caveats == nil {
		caveats = []caveatSpec{}
	}
	return spec{Location: location, Identifier: "album 7", Key: rootKey, Caveats: caveats}
}

func first(text string) caveatSpec { return caveatSpec{Text: text} }

// third returns a caveat that the discharger of the identifier discharges.
func third(identifier string) caveatSpec {
	return caveatSpec{Text: identifier, Location: "https://" + identifier + ".example.org", Key: "key of " + identifier}
}

// dischargeOf returns a discharge of the caveat with the identifier.
func dischargeOf(identifier string, caveats ...caveatSpec) spec {
	d := macaroonWith(caveats...)
	d.Location, d.Identifier, d.Key = "https://"+identifier+".example.org", identifier, "key of "+identifier
	return d
}

// scenarios are those of the suites.
func scenarios() []scenario {
	ok, no := vtest.Authorized, vtest.Unauthorized
	alice, early, late := first("user = alice"), first("time < 1700000001"), first("time < 1700000000")
	unbound, elsewhere, wrongKey := dischargeOf("a"), dischargeOf("a"), dischargeOf("a")
	unbound.Unbound = true
	nestedUnbound := dischargeOf("b")
	nestedUnbound.Unbound = true
	other, needsA := macaroonWith(third("b")), macaroonWith(third("a"))
	elsewhere.BoundTo, wrongKey.Key = &other, "another key"
	nestedToParent, parent := dischargeOf("b"), dischargeOf("a", third("b"))
	nestedToParent.BoundTo = &parent
	both := macaroonWith(third("a"), alice, third("b"))
	s := func(name string, verdict vtest.Verdict, root spec, discharges ...spec) scenario {
		if discharges == nil {
			discharges = []spec{}
		}
		return scenario{name, rootKey, []string{"user = alice", "path = " + strings.Repeat("x", 300)}, verdict, root, discharges}
	}
	all := []scenario{
		s("no caveats", ok, macaroonWith()),
		s("a condition that holds", ok, macaroonWith(alice)),
		s("a condition that does not hold", no, macaroonWith(first("user = bob"))),
		s("an unknown condition", no, macaroonWith(first("moon = full"))),
		s("one of two conditions does not hold", no, macaroonWith(alice, first("user = bob"))),
		s("a condition twice", ok, macaroonWith(alice, alice)),
		s("a longer condition than one that holds", no, macaroonWith(first("user = alice2"))),
		s("a long condition", ok, macaroonWith(first("path = "+strings.Repeat("x", 300)))),
		s("just not expired", ok, macaroonWith(early, alice)),
		s("just expired", no, macaroonWith(late, alice)),
		s("discharged", ok, needsA, dischargeOf("a")),
		s("discharged between conditions", ok, macaroonWith(alice, third("a"), early), dischargeOf("a")),
		s("discharged, but a condition does not hold", no, macaroonWith(third("a"), late), dischargeOf("a")),
		s("no discharge", no, needsA),
		s("the discharge of another caveat", no, needsA, dischargeOf("b")),
		s("conditions of a discharge that hold", ok, needsA, dischargeOf("a", alice, early)),
		s("a condition of a discharge that does not hold", no, needsA, dischargeOf("a", late)),
		s("an unknown condition of a discharge", no, needsA, dischargeOf("a", first("moon = full"))),
		s("a discharge with another key", no, needsA, wrongKey),
		s("a discharge that is not bound", no, needsA, unbound),
		s("a discharge that is bound to another macaroon", no, needsA, elsewhere),
		s("two discharges", ok, both, dischargeOf("a"), dischargeOf("b")),
		s("two discharges in another order", ok, both, dischargeOf("b"), dischargeOf("a")),
		s("one of two discharges", no, both, dischargeOf("b")),
		s("a discharge that needs another", ok, needsA, dischargeOf("a", third("b")), dischargeOf("b", early)),
		s("a nested discharge is missing", no, needsA, dischargeOf("a", third("b"))),
		s("a nested discharge that is not bound", no, needsA, dischargeOf("a", third("b")), nestedUnbound),
		s("a nested discharge that is bound to the other", no, needsA, dischargeOf("a", third("b")), nestedToParent),
		s("a condition of a nested discharge does not hold", no, needsA, dischargeOf("a", third("b")), dischargeOf("b", late)),
		s("a discharge that needs itself", no, needsA, dischargeOf("a", third("a"))),
		s("discharges that need each other", no, needsA, dischargeOf("a", third("b")), dischargeOf("b", third("a"))),
		s("a discharge that nothing needs", vtest.Stricter, needsA, dischargeOf("a"), dischargeOf("b")),
		s("a discharge for two caveats", vtest.Stricter, macaroonWith(third("a"), third("a")), dischargeOf("a")),
		s("a discharge twice", vtest.Stricter, needsA, dischargeOf("a"), dischargeOf("a")),
	}
	for _, root := range []scenario{all[0], all[10]} {
		root.name, root.key, root.verdict = "another root key, "+root.name, "the root kez", no
		all = append(all, root)
	}
	return all
}
