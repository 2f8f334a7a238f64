package caveat

import (
	"context"
	"net/netip"
	"slices"
	"strings"
)

// CheckText decides about a caveat as it stands in a token: [Vocabulary.Parse]
// in the vocabulary of the request, and [Check]. A type that the request ignores
// need not hold. supports tells which types may hold in the token at all; nil
// stands for all of them.
//
// The error is that of Parse, that of [Unverified] for a type that is not
// supported, or that of Check.
func CheckText(ctx context.Context, text string, req *Request, supports func(Type) bool) error {
	if req == nil {
		req = &Request{}
	}
	if t, ok := holds(text, req); ok && (supports == nil || supports(t)) {
		return nil
	}
	c, err := req.Vocabulary.Parse(text)
	switch {
	case err != nil:
		return err
	case supports != nil && !supports(c.Type()):
		return Unverified(c)
	case slices.Contains(req.Ignored, c.Type()):
		return nil
	}
	return Check(ctx, c, req)
}

// holds tells of the caveats that most tokens have whether they hold, and spares
// them the memory of a [Caveat]. What it does not say of a text is for Parse and
// Check to say.
func holds(text string, req *Request) (t Type, ok bool) {
	if value, is := strings.CutPrefix(text, "time "); is {
		c, ok := parseTime(value)
		return TypeTime, ok && c.holds(req.Now)
	}
	if value, is := strings.CutPrefix(text, "ip = "); is {
		var few [4]netip.Prefix
		if strings.Count(value, separator) >= req.Vocabulary.limit() {
			return "", false
		}
		c, ok := parseIP(few[:0], value)
		return TypeIP, ok && c.holds(req.IP)
	}
	if value, is := strings.CutPrefix(text, "interface = "); is {
		c, ok := ParseInterface(value)
		return TypeInterface, ok && c.holds(req.Interface)
	}
	return "", false
}
