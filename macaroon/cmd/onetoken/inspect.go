package main

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/onezone-go/onezone/internal/printable"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/general"
)

// inspect prints the content of a token, or of what is left of it.
func inspect(f *flags) action {
	asJSON := f.json("the content, in the form of the REST operation examine,")
	var now time.Time
	declareNow(f, &now)
	return func(_ context.Context, p process, args []string) error {
		if len(args) > 1 {
			return misuse("inspect takes one file")
		}
		text, err := p.readText(args)
		if err != nil {
			return err
		}
		token, refusal := parseToken(text)
		if other, err := general.Parse(text, general.Any); refusal != nil && err == nil {
			converted, err := other.Token()
			if err != nil || converted.Version() == 1 { // identifiers of others look like those of version 1
				return p.describeMacaroon(other, now, *asJSON)
			}
			p.note("note: the token is in the format " + other.ReadAs().String() + ", which no Onezone reads; " +
				"onetoken convert --to onezone converts it")
			token, refusal = converted, nil
		}
		var cut *truncation
		if refusal != nil {
			found, ok := findTruncation(text)
			if !ok {
				return refusal
			}
			cut, token = &found, found.rest
		}
		if err := p.describe(token, cut, now, *asJSON); err != nil {
			return err
		}
		return refusal
	}
}

// describe prints the content of a token that is not verified. If the token was
// cut, it is what is left of it, zero for nothing.
func (p process) describe(token macaroon.Token, cut *truncation, now time.Time, asJSON bool) error {
	until, expires := token.Expiry()
	expired := expires && now.Unix() >= until
	if asJSON {
		return p.describeJSON(token, cut, expired)
	}
	text := ""
	if cut != nil {
		text = p.highlight("TRUNCATED") + " " + cut.String() + "\n"
	}
	if token.IsZero() {
		return write(p.out, text)
	}
	for line := range strings.Lines(token.Inspect()) {
		if rest, ok := strings.CutPrefix(line, "unknown"); ok {
			line = p.highlight("UNKNOWN") + rest
		}
		if rest, ok := strings.CutPrefix(line, "expires"); ok && expired {
			line = p.highlight("EXPIRED") + rest
		}
		text += line
	}
	return write(p.out, text)
}

func (p process) describeJSON(token macaroon.Token, cut *truncation, expired bool) error {
	view := []byte("{}")
	if !token.IsZero() {
		var err error
		if view, err = token.Examine(nil); err != nil {
			return err
		}
	}
	marks, err := json.Marshal(struct {
		Expired   bool        `json:"expired"`
		Truncated *truncation `json:"truncated,omitempty"`
	}{expired, cut})
	if err != nil {
		return err
	}
	return write(p.out, printable.Escape(joinObjects(string(view), string(marks)))+"\n")
}

// joinObjects returns the JSON object with the fields of a and then of b, which
// is not empty.
func joinObjects(a, b string) string {
	if a == "{}" {
		return b
	}
	return strings.TrimSuffix(a, "}") + "," + strings.TrimPrefix(b, "{")
}
