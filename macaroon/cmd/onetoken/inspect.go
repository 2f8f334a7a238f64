package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/internal/printable"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/general"
)

// inspect prints the content of a token, or of what is left of it.
func inspect(f *flags) action {
	asJSON := f.json("the content, in the form of the REST operation examine,")
	var now time.Time
	declareNow(f, &now)
	var connection connectionFlags
	value(f, &connection.onezone, "onezone", "URL", "also show the caveats that the owner added at this Onezone", verbatim)
	connection.declareCA(f)
	return func(ctx context.Context, p process, args []string) error {
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
		var additions []caveat.Addition
		if connection.onezone != "" && refusal == nil {
			if additions, err = connection.additions(ctx, token); err != nil {
				return err
			}
		}
		if *asJSON {
			err = p.describeJSON(token, cut, additions, now)
		} else {
			err = p.describe(token, cut, additions, now)
		}
		if err != nil {
			return err
		}
		return refusal
	}
}

// additions returns the caveats that the owner of the token added to its record
// at the Onezone.
func (c *connectionFlags) additions(ctx context.Context, token macaroon.Token) ([]caveat.Addition, error) {
	client, err := c.client(c.onezone)
	if err != nil {
		return nil, err
	}
	defer func() { _ = client.Close() }()
	content, err := client.Examine(ctx, token)
	return content.Additions, err
}

// describe prints the content of a token that is not verified. If the token was
// cut, it is what is left of it, zero for nothing.
func (p process) describe(token macaroon.Token, cut *truncation, additions []caveat.Addition, now time.Time) error {
	expired := isExpired(token, now)
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
	for _, a := range additions {
		text += fmt.Sprintf("%-9s %s (added on %s)\n", "caveat", printable.Quote(a.Text), a.Added.Format(time.DateOnly))
	}
	return write(p.out, text)
}

// isExpired reports whether the token has a time caveat that has passed.
func isExpired(token macaroon.Token, now time.Time) bool {
	until, expires := token.Expiry()
	return expires && now.Unix() >= until
}

func (p process) describeJSON(token macaroon.Token, cut *truncation, additions []caveat.Addition, now time.Time) error {
	view := []byte("{}")
	if !token.IsZero() {
		var err error
		if view, err = token.Examine(nil); err != nil {
			return err
		}
	}
	marks, err := json.Marshal(struct {
		Expired       bool            `json:"expired"`
		ServerCaveats []caveat.Caveat `json:"serverCaveats,omitempty"`
		Truncated     *truncation     `json:"truncated,omitempty"`
	}{isExpired(token, now), parsed(additions), cut})
	if err != nil {
		return err
	}
	return write(p.out, printable.Escape(joinObjects(string(view), string(marks)))+"\n")
}

func parsed(additions []caveat.Addition) []caveat.Caveat {
	return (*caveat.Vocabulary)(nil).ParseList(nil).With(additions).Caveats()
}

// joinObjects returns the JSON object with the fields of a and then of b, which
// is not empty.
func joinObjects(a, b string) string {
	if a == "{}" {
		return b
	}
	return strings.TrimSuffix(a, "}") + "," + strings.TrimPrefix(b, "{")
}
