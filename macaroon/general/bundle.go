package general

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
)

// DefaultScheme is the authentication scheme of bundles.
const DefaultScheme = "Macaroon"

// DefaultMaxTokens is the limit on the macaroons of a bundle.
const DefaultMaxTokens = 128

// Bundle is the macaroons of one request: tokens, and the discharges of their
// third-party caveats. It is an immutable value that may be copied and shared.
// Its text is the value of an Authorization header:
//
//	Macaroon TOKEN,DISCHARGE,TOKEN
//
// A macaroon is a discharge if a third-party caveat in the bundle has its
// identifier; the others are tokens. The order does not matter. A Bundle holds
// no macaroon twice, and each discharge is that of exactly one caveat.
//
// A Bundle is a credential: [Bundle.Header] returns its whole text. Its content
// is untrusted until it has been verified.
type Bundle struct {
	// A pointer, for the reason that Macaroon has one.
	content *bundleContent
}

type bundleContent struct {
	macaroons []Macaroon
	texts     []string // of the macaroons
	entries   []entry
}

// entry holds the indexes of a token and its discharges, the token first.
type entry []int

// Entry is a token of a bundle with its discharges.
type Entry struct {
	Token Macaroon
	// Discharges are those of the third-party caveats of the token, in the order
	// of the caveats, and then those of the discharges. Discharges that the
	// bundle lacks are left out.
	Discharges []Macaroon
}

// BundleOptions say what [BundleOptions.Parse] accepts. The zero BundleOptions
// are the default scheme, the format of Onezone and the default limits.
type BundleOptions struct {
	// Options are those of each macaroon. Limits.MaxSize is the limit of the
	// whole header. No bundle contains JSON.
	Options
	Scheme    string // upper and lower case are the same; "" means DefaultScheme
	MaxTokens int    // with discharges; 0 means DefaultMaxTokens
}

// ParseBundle parses a header with macaroons in one of the formats, under the
// default scheme and limits; see [BundleOptions.Parse].
func ParseBundle(header string, formats Format) (Bundle, error) {
	return BundleOptions{Options: Options{Formats: formats}}.Parse(header)
}

// Parse parses the value of an Authorization header without verifying it: the
// scheme, one space, and macaroons between commas, without other spaces.
//
// Errors:
//   - tokenTooLarge {limit} for a header longer than the limit;
//   - limitReached {limit} for more macaroons than the limit;
//   - badToken for another scheme, a text that is not a macaroon in one of the
//     formats, a repeated macaroon, a discharge of several caveats, several
//     discharges of one caveat, and discharges that need each other. Its
//     description says which macaroon is wrong, and why.
func (o BundleOptions) Parse(header string) (Bundle, error) {
	if limit := o.maxSize(); len(header) > limit {
		return Bundle{}, errors.TokenTooLarge(limit)
	}
	scheme := cmp.Or(o.Scheme, DefaultScheme)
	given, list, _ := strings.Cut(header, " ")
	if !strings.EqualFold(given, scheme) || strings.ContainsFunc(given, isNoSchemeCharacter) {
		return Bundle{}, errors.BadToken("a bundle begins with the scheme " + scheme + " and one space")
	}
	if limit := cmp.Or(max(o.MaxTokens, 0), DefaultMaxTokens); strings.Count(list, ",") >= limit {
		return Bundle{}, errors.LimitReached(limit, "macaroons in a bundle")
	}
	c := &bundleContent{texts: strings.Split(list, ",")}
	c.macaroons = make([]Macaroon, len(c.texts))
	for i, text := range c.texts {
		m, problem := o.parse(text)
		if strings.HasPrefix(text, "{") {
			problem = "JSON cannot be part of a bundle"
		}
		if problem != "" {
			return Bundle{}, errors.BadToken(fmt.Sprintf("macaroon %d of the bundle: %s", i+1, problem))
		}
		c.macaroons[i] = Macaroon{m}
	}
	return c.bundle()
}

// NewBundle returns a bundle of macaroons, which are printed in the format.
//
// Errors: those of [Macaroon.Encode], and badValueNotAllowed {key "format"} for
// JSON; badValueEmpty {key "macaroons"} for none; limitReached for more than
// [DefaultMaxTokens]; badToken for macaroons that do not form a bundle, as from
// [BundleOptions.Parse].
func NewBundle(format Format, macaroons ...Macaroon) (Bundle, error) {
	switch {
	case format&(V1JSON|V2JSON) != 0:
		return Bundle{}, errors.BadValueNotAllowed("format", Onezone.String(), V1.String(), V2.String())
	case len(macaroons) == 0:
		return Bundle{}, errors.BadValueEmpty("macaroons")
	case len(macaroons) > DefaultMaxTokens:
		return Bundle{}, errors.LimitReached(DefaultMaxTokens, "macaroons in a bundle")
	}
	c := &bundleContent{macaroons: slices.Clone(macaroons), texts: make([]string, len(macaroons))}
	for i, m := range macaroons {
		text, err := m.Encode(format)
		if err != nil {
			return Bundle{}, err
		}
		c.texts[i] = text
	}
	return c.bundle()
}

// bundle returns the bundle of the macaroons. The error is badToken for
// macaroons that do not form one.
func (c *bundleContent) bundle() (Bundle, error) {
	entries, problem := pair(c.macaroons)
	if problem != "" {
		return Bundle{}, errors.BadToken(problem)
	}
	c.entries = entries
	return Bundle{c}, nil
}

// Header returns the whole text of the bundle as the value of an Authorization
// header: the scheme, where "" means [DefaultScheme], and the macaroons as they
// were received or printed. It is a credential.
//
// Errors: badValueString {key "scheme"} for a scheme that is not letters, digits
// and hyphens; badToken for an empty bundle; tokenTooLarge {limit} for a text
// longer than [macaroon.DefaultMaxSize].
func (b Bundle) Header(scheme string) (string, error) {
	scheme = cmp.Or(scheme, DefaultScheme)
	switch {
	case strings.ContainsFunc(scheme, isNoSchemeCharacter):
		return "", errors.BadValueString("scheme")
	case b.content == nil:
		return "", errors.BadToken("the bundle is empty")
	}
	header := scheme + " " + strings.Join(b.content.texts, ",")
	if len(header) > macaroon.DefaultMaxSize {
		return "", errors.TokenTooLarge(macaroon.DefaultMaxSize)
	}
	return header, nil
}

func isNoSchemeCharacter(r rune) bool {
	return !(r == '-' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z')
}

// Macaroons returns all macaroons, in order.
func (b Bundle) Macaroons() []Macaroon {
	if b.content == nil {
		return nil
	}
	return slices.Clone(b.content.macaroons)
}

// Entries returns the tokens with their discharges, in order. A macaroon that
// discharges nothing in the bundle is a token.
func (b Bundle) Entries() []Entry {
	if b.content == nil {
		return nil
	}
	entries := make([]Entry, len(b.content.entries))
	for i, indexes := range b.content.entries {
		list := make([]Macaroon, len(indexes))
		for j, index := range indexes {
			list[j] = b.content.macaroons[index]
		}
		entries[i] = Entry{Token: list[0], Discharges: list[1:]}
	}
	return entries
}

// Filter returns the bundle of the tokens for which keep returns true, with
// their discharges:
//
//	ours := b.Filter(func(m general.Macaroon) bool { return m.Location() == "photos" })
//
// keep is called with tokens only. It decides by what is not verified yet, so a
// client must not use Filter to keep a token from a service: a token counts as the
// discharge of another one that has a caveat with its identifier.
func (b Bundle) Filter(keep func(token Macaroon) bool) Bundle {
	if b.content == nil {
		return Bundle{}
	}
	var kept []int
	for _, indexes := range b.content.entries {
		if keep(b.content.macaroons[indexes[0]]) {
			kept = append(kept, indexes...)
		}
	}
	if kept == nil {
		return Bundle{}
	}
	slices.Sort(kept)
	c := &bundleContent{}
	for _, index := range kept {
		c.macaroons = append(c.macaroons, b.content.macaroons[index])
		c.texts = append(c.texts, b.content.texts[index])
	}
	c.entries, _ = pair(c.macaroons) // a part of a bundle is a bundle
	return Bundle{c}
}

// IsZero reports whether the bundle is empty.
func (b Bundle) IsZero() bool { return b.content == nil }

// Format prints the number of macaroons, never a text, for every verb.
func (b Bundle) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "[bundle of %d macaroons]", len(b.Macaroons()))
}

// MarshalJSON always returns an error, because the text of a credential should
// not be printed by mistake. Call [Bundle.Header] instead.
func (Bundle) MarshalJSON() ([]byte, error) {
	return nil, errors.New("a bundle is a credential: print it with Header")
}
