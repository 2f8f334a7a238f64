package caveat

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/onezone-go/onezone/internal/operational"
)

// Filter decides whether a list of places allows or excludes them. The zero
// Filter is invalid.
type Filter uint8

// The filters.
const (
	Whitelist Filter = iota + 1 // one of the list: "="
	Blacklist                   // none of the list: "!="
)

var filterNames = []string{Whitelist: "whitelist", Blacklist: "blacklist"}

// String returns the JSON name, "whitelist" or "blacklist".
func (f Filter) String() string { return nameOf(filterNames, f) }

// places is the common form of country and region caveats, with the same
// fields.
type places struct {
	Filter Filter
	List   []string
}

// placesText returns the parser of "= A|B" and "!= A|B". As in the original,
// entries are not validated.
func placesText(build func(places) Caveat) func(rest string) (Caveat, bool) {
	return func(rest string) (Caveat, bool) {
		filter := Whitelist
		if negated, ok := strings.CutPrefix(rest, " !"); ok {
			filter, rest = Blacklist, " "+negated
		}
		list, ok := parseList(rest, verbatim)
		return build(places{filter, list}), ok
	}
}

// placesJSON returns the reader of the object form.
func placesJSON(build func(places) Caveat) func(object, int) (Caveat, string) {
	return func(o object, most int) (Caveat, string) {
		raw := o.list("list", most)
		if !o.has("filter") || raw == nil {
			return nil, notThisForm
		}
		name, _ := o.text("filter")
		filter, _ := valueOf[Filter](filterNames, name) // the method problem rejects an unknown name
		list, ok := readTexts(raw, verbatim)
		return build(places{filter, list}), unless(ok, "list must be a list of strings")
	}
}

func (p places) text(t Type) string {
	operator := " = "
	if p.Filter == Blacklist {
		operator = " != "
	}
	return joinList(string(t)+operator, p.List, writeText)
}

func (p places) json(t Type) ([]byte, error) {
	return json.Marshal(struct {
		Type   Type     `json:"type"`
		Filter string   `json:"filter"`
		List   []string `json:"list"`
	}{t, p.Filter.String(), p.List})
}

func (p places) holds(actual ...string) bool {
	listed := slices.ContainsFunc(actual, func(a string) bool { return slices.Contains(p.List, a) })
	switch p.Filter {
	case Whitelist:
		return listed
	case Blacklist:
		return !listed
	}
	return false
}

func (p places) problem(entry func(string) string) string {
	if p.Filter != Whitelist && p.Filter != Blacklist {
		return "the filter must be whitelist or blacklist"
	}
	return firstProblem(p.List, entry)
}

func (p places) demand(what string) string {
	if p.Filter == Blacklist {
		return fmt.Sprintf("the client's address must be known not to come from the %s %s", what, quoted(p.List))
	}
	return fmt.Sprintf("the client's address must come from one of the %s %s", what, quoted(p.List))
}

func lookup(what string, err error) error { return operational.Error("looking up "+what, err) }

// place looks up where the client is. It returns nil and no error if the
// address or the resolver is missing.
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

// explainPlace describes where the client is. where describes its place, and
// returns "" if the region is unknown.
func explainPlace(ctx context.Context, a *Attempt, where func(Place) string) Wording {
	if words, ok := noPlace(a); ok {
		return words
	}
	at, err := a.Geo.Place(ctx, a.IP)
	if err != nil || at.Country == "" || where(at) == "" {
		return unlocated(a)
	}
	return Wording{Reason: fmt.Sprintf("the client's address %v is %s", a.IP, where(at))}
}

// noPlace explains, with ok, that no place can be looked up.
func noPlace(a *Attempt) (words Wording, ok bool) {
	switch {
	case !a.IP.IsValid():
		return unknownAddress, true
	case a.Geo == nil:
		return Wording{Reason: "the verifier has no geo database", Missing: true}, true
	}
	return Wording{}, false
}

func unlocated(a *Attempt) Wording {
	return Wording{Reason: fmt.Sprintf("the geo database does not say where the client's address %v is", a.IP), Missing: true}
}
