package caveat

import (
	"context"
	"fmt"
	"strings"
)

// Country is the caveat "geo.country = CODE|..." or, with [Blacklist],
// "geo.country != CODE|...". Codes are compared exactly with the upper-case ISO
// codes of the geo database. An address that is not in the database satisfies
// neither form.
type Country struct {
	Filter Filter
	List   []string // codes of two bytes
}

func newCountry(p places) Caveat { return Country(p) }

// Type returns [TypeCountry].
func (Country) Type() Type { return TypeCountry }

// String returns the text "geo.country = CODE|..." or "geo.country !=
// CODE|...".
func (c Country) String() string { return places(c).text(TypeCountry) }

// MarshalJSON returns {"type":"geo.country","filter":FILTER,"list":[CODE,...]}.
func (c Country) MarshalJSON() ([]byte, error) { return places(c).json(TypeCountry) }

func (c Country) satisfied(ctx context.Context, req Request) (bool, error) {
	at, err := place(ctx, &req)
	if err != nil || at == nil || at.Country == "" {
		return false, err
	}
	return places(c).holds(at.Country), nil
}

func (c Country) problem() string {
	return places(c).problem(func(code string) string {
		if len(code) != 2 || strings.ContainsFunc(code, isForbiddenRune) {
			return `every country must be a code of two bytes without "|" and control characters`
		}
		return ""
	})
}

func (c Country) demand() string { return places(c).demand("countries") }

func (Country) explain(ctx context.Context, a *Attempt) Wording {
	return explainPlace(ctx, a, func(at Place) string { return fmt.Sprintf("in the country %q", at.Country) })
}
