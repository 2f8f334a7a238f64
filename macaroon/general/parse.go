package general

import (
	"cmp"
	"strings"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/internal/wire"
)

// Options say what [Options.Parse] accepts. The zero Options are the format of
// Onezone and the default limits.
type Options struct {
	Formats Format // a set; 0 means Onezone
	Limits  macaroon.Limits
}

// Parse parses a text in one of the formats, under the default limits; see
// [Options.Parse].
func Parse(text string, formats Format) (Macaroon, error) {
	return Options{Formats: formats}.Parse(text)
}

// Parse parses the text of a macaroon without verifying it. The error is
// tokenTooLarge {limit} for a text longer than the limit, and badToken for a text
// that is not a macaroon in one of the formats. The description of badToken says
// what is wrong.
func (o Options) Parse(text string) (Macaroon, error) {
	if limit := o.maxSize(); len(text) > limit {
		return Macaroon{}, errors.TokenTooLarge(limit)
	}
	c, problem := o.parse(text)
	if problem != "" {
		return Macaroon{}, errors.BadToken(problem)
	}
	return Macaroon{c}, nil
}

func (o Options) maxSize() int { return cmp.Or(max(o.Limits.MaxSize, 0), macaroon.DefaultMaxSize) }

// parse parses a text in one of the formats. problem describes why it is not a
// macaroon, and is "" if it is one.
func (o Options) parse(text string) (c *content, problem string) {
	formats := cmp.Or(o.Formats, Onezone)
	c, problem = parse(text, cmp.Or(max(o.Limits.MaxCaveats, 0), wire.MaxCaveats))
	if problem == "" && !formats.accepts(c.readAs) {
		return nil, "its format is " + c.readAs.String() + ", and only " + formats.String() + " is accepted"
	}
	return c, problem
}

// accepts reports whether the set accepts a macaroon in the format.
func (f Format) accepts(one Format) bool { return f&one != 0 || one == V1 && f&Onezone != 0 }

// parse parses a text, which is a macaroon in at most one format. problem describes
// why it is not a macaroon, and is "" if it is one.
func parse(text string, maxCaveats int) (c *content, problem string) {
	if text == "" {
		return nil, "it is empty"
	}
	if strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{") {
		return parseJSON([]byte(text), maxCaveats)
	}
	c = &content{readAs: V2}
	plain, isPlain := wire.DecodePlain(text)
	if isPlain && wire.IsVersion2(plain) {
		c.Macaroon, c.signature, problem = wire.ParseVersion2(plain, maxCaveats)
		return c, problem
	}
	raw, ok := wire.Decode(text)
	if !ok {
		return nil, "it is neither JSON nor base64 nor in the printable form of tokens"
	}
	if c.Macaroon, problem = wire.ParseAny(raw, maxCaveats); problem != "" {
		return nil, problem
	}
	c.signature, c.readAs = wire.Signature(raw), Onezone
	if isPlain && plain == raw {
		c.readAs = V1
	}
	return c, ""
}
