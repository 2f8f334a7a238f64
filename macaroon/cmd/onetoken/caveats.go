package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/duration"
	"github.com/onezone-go/onezone/internal/printable"
	"github.com/onezone-go/onezone/macaroon"
)

// caveatFlags are the flags that add caveats.
type caveatFlags struct {
	ttl       time.Duration // 0: not given
	until     time.Time     // zero: not given
	templates []template
	now       time.Time
	any       bool // also caveats outside the language of Onezone
}

func (c *caveatFlags) declare(f *flags) {
	value(f, &c.ttl, "ttl", "DURATION", `the lifetime of the token, at least one second: "90s", "1h", "30d"`, parseTTL)
	value(f, &c.until, "until", "TIME", "the time of expiry, such as 2026-12-24T18:00Z or 2026-12-24 (UTC)", parseMoment)
	value(f, &c.templates, "template", "NAME", templateNames+"; may be repeated", func(text string) ([]template, error) {
		t, err := parseTemplate(text)
		return append(c.templates, t), err
	})
	f.complete("template", "rest", "oneprovider-rest", "oneclient", "readonly", "identity", "path=")
	declareNow(f, &c.now)
	f.toggle(&c.any, "any", "also add caveats outside the language of Onezone, with a warning")
}

// parseTTL rejects durations below one second, the unit of time caveats: such a
// token might already be expired.
func parseTTL(text string) (time.Duration, error) {
	ttl, err := duration.Parse(text)
	if err == nil && ttl < time.Second {
		err = errBadValue
	}
	return ttl, err
}

// read returns the texts of the caveats of the flags and arguments: the time
// first, then those of templates. It warns about caveats that only --any allows.
func (c *caveatFlags) read(p process, args []string) ([]string, error) {
	texts, err := c.ofFlags()
	if err != nil {
		return nil, err
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
			return nil, notCaveat(i, arg)
		}
	}
	for _, n := range foreign {
		p.warn(fmt.Sprintf("caveat %d is not in the language of Onezone: "+
			"only an application that knows it accepts the token", n))
	}
	return texts, nil
}

// ofFlags returns the caveats of the flags. A template without another lifetime
// brings its own, the shortest of several.
func (c *caveatFlags) ofFlags() (texts []string, err error) {
	expiry := c.until
	switch {
	case c.ttl > 0 && !c.until.IsZero():
		return nil, misuse("--ttl and --until exclude each other")
	case !c.until.IsZero() && !c.until.After(c.now):
		return nil, misuse("--until is a time in the past")
	case c.ttl > 0:
		expiry = c.now.Add(c.ttl)
	case expiry.IsZero() && len(c.templates) > 0:
		shortest := c.templates[0].ttl
		for _, t := range c.templates {
			shortest = min(shortest, t.ttl)
		}
		expiry = c.now.Add(shortest)
	}
	if !expiry.IsZero() {
		texts = append(texts, caveat.Until(expiry).String())
	}
	for _, t := range c.templates {
		for _, each := range t.caveats {
			texts = append(texts, each.String())
		}
	}
	return texts, nil
}

// warnAbout warns about caveats of the token from the index on that make it
// useless. Application caveats have a warning of their own.
func (p process) warnAbout(token macaroon.Token, from int) {
	for _, found := range diagnose(token, time.Unix(0, 0)) {
		if _, err := caveat.Parse(found.Text); found.Caveat > from && err == nil {
			p.warn(fmt.Sprintf("%s: %s", printable.Quote(found.Text), found.Problem))
		}
	}
}

// isApplicationCaveat reports whether the text may be a caveat of an
// application. A token may not, because holders of the new token could read it.
func isApplicationCaveat(text string) bool {
	_, err := macaroon.Parse(text)
	return err != nil && text != "" && !strings.HasPrefix(text, "-") && printable.Quote(text) == text
}

// notCaveat returns an error with the position of the argument and the reason
// why it is not a caveat. It does not repeat the text, which might be a secret.
func notCaveat(i int, text string) error {
	read, _ := caveat.Parse(text)
	hint := strings.TrimSuffix(errors.From(caveat.Validate(read)).Description, ".") +
		`; a caveat is one argument, such as "time < 1700000000"; --any lets in those of applications`
	return misuse(fmt.Sprintf("caveat %d is not in the language: %s", i+1, hint))
}

// rightForm describes the form of caveats of the kind that the text names, or
// lists the kinds. It does not repeat the text.
func rightForm(text string) string {
	read, _ := caveat.Parse(text)
	_, form, _ := strings.Cut(errors.From(caveat.Validate(read)).Description, "; ")
	return strings.TrimSuffix(form, ".")
}
