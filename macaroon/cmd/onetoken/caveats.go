package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/printable"
	"github.com/onezone-go/onezone/macaroon"
)

// caveatFlags are the flags that add caveats.
type caveatFlags struct {
	ttl time.Duration // 0: not given
	now time.Time
	any bool // also caveats outside the language of Onezone
}

func (c *caveatFlags) declare(f *flags) {
	value(f, &c.ttl, "ttl", "DURATION", `the lifetime of the token, at least one second: "90s", "1h"`, parseTTL)
	declareNow(f, &c.now)
	f.toggle(&c.any, "any", "also add caveats outside the language of Onezone, with a warning")
}

// parseTTL rejects durations below one second, the unit of time caveats: such a
// token might already be expired.
func parseTTL(text string) (time.Duration, error) {
	ttl, err := time.ParseDuration(text)
	if err == nil && ttl < time.Second {
		err = errBadValue
	}
	return ttl, err
}

// read returns the texts of the time caveat of --ttl, if given, and of the
// caveats in the arguments. It warns about caveats that only --any allows.
func (c *caveatFlags) read(p process, args []string) ([]string, error) {
	texts := make([]string, 0, len(args)+1)
	if c.ttl > 0 {
		texts = append(texts, caveat.Until(c.now.Add(c.ttl)).String())
	}
	var foreign []int
	for i, arg := range args {
		read, err := caveat.Parse(arg)
		switch {
		case err == nil:
			if err := caveat.Validate(read); err != nil {
				return nil, misuse(fmt.Sprintf("caveat %d: %s", i+1, errors.From(err).Description))
			}
			texts = append(texts, read.String())
		case c.any && isApplicationCaveat(arg):
			foreign = append(foreign, i+1)
			texts = append(texts, arg)
		default:
			return nil, notCaveat(i, arg, caveat.Validate(read))
		}
	}
	for _, n := range foreign {
		p.warn(fmt.Sprintf("caveat %d is not in the language of Onezone: only an application that knows it accepts the token", n))
	}
	return texts, nil
}

// isApplicationCaveat reports whether the text may be a caveat of an
// application. A token may not, because holders of the new token could read it.
func isApplicationCaveat(text string) bool {
	_, err := macaroon.Parse(text)
	return err != nil && text != "" && !strings.HasPrefix(text, "-") && printable.Quote(text) == text
}

// notCaveat returns an error with the position of the argument and the reason
// why it is not a caveat. It does not repeat the text, which might be a token.
func notCaveat(i int, text string, why error) error {
	hint := strings.TrimSuffix(errors.From(why).Description, ".") +
		`; a caveat is one argument, such as "time < 1700000000"; --any lets in those of applications`
	return misuse(fmt.Sprintf("caveat %d is not in the language: %s", i+1, hint))
}
