package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// caveatFlags are those that make a caveat.
type caveatFlags struct {
	ttl time.Duration // 0: not given
	now time.Time
}

func (c *caveatFlags) declare(f *flags) {
	value(f, &c.ttl, "ttl", "DURATION", `how long the token is to live, from one second: "90s", "1h"`, parseTTL)
	declareNow(f, &c.now)
}

var errTTL = errors.New("shorter than a second")

// parseTTL refuses what is less than the unit of time caveats: such a token would
// be born dead.
func parseTTL(text string) (time.Duration, error) {
	ttl, err := time.ParseDuration(text)
	if err == nil && ttl < time.Second {
		err = errTTL
	}
	return ttl, err
}

// read returns the time caveat of -ttl, if there is one, and those of the
// arguments.
func (c *caveatFlags) read(args []string) ([]caveat.Caveat, error) {
	cs := make([]caveat.Caveat, 0, len(args)+1)
	if c.ttl > 0 {
		cs = append(cs, caveat.Until(c.now.Add(c.ttl)))
	}
	for i, text := range args {
		read, err := caveat.Parse(text)
		if err != nil {
			return nil, notCaveat(i, text)
		}
		if err := caveat.Validate(read); err != nil {
			return nil, misuse(fmt.Sprintf("caveat %d: %s", i+1, errors.From(err).Description))
		}
		cs = append(cs, read)
	}
	return cs, nil
}

// notCaveat tells of an argument by its place. The text might be a token.
func notCaveat(i int, text string) error {
	hint := `a caveat is one argument, such as "time < 1700000000"`
	if strings.HasPrefix(text, "-") {
		hint = "flags stand before the caveats"
	}
	return misuse(fmt.Sprintf("caveat %d is not in the language: %s", i+1, hint))
}
