package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/internal/printable"
	"github.com/onezone-go/onezone/macaroon"
)

// finding is a reason why a token does not work, or not as was meant.
type finding struct {
	Caveat  int    `json:"caveat,omitempty"` // position in the token, from 1; 0: about the token
	Text    string `json:"text,omitempty"`   // of the caveat
	Problem string `json:"problem"`
	Fix     string `json:"fix"`
	Instead string `json:"instead,omitempty"` // the caveat that is right; "": none is known
}

// verdict is an error about a token that is not of the catalogue.
type verdict string

func (v verdict) Error() string { return string(v) }

// doctor explains a token, what is wrong with it, and how to fix it.
func doctor(f *flags) action {
	asJSON := f.json("the findings")
	var now time.Time
	declareNow(f, &now)
	return func(_ context.Context, p process, args []string) error {
		text, err := p.readText(args)
		if err != nil {
			return err
		}
		token, err := parseToken(text)
		findings := []finding{}
		if err != nil {
			cut, ok := findTruncation(text)
			if !ok {
				return err
			}
			token = cut.rest
			findings = append(findings, finding{Problem: "it is TRUNCATED " + cut.String(),
				Fix: "copy the whole token again; programs that wrap or limit lines lose the end of long ones"})
		}
		findings = append(findings, diagnose(token, now)...)
		if err := p.report(token, findings, *asJSON); err != nil {
			return err
		}
		switch len(findings) {
		case 0:
			return nil
		case 1:
			return verdict("1 problem found")
		}
		return verdict(fmt.Sprintf("%d problems found", len(findings)))
	}
}

// report prints what a token says and the findings.
func (p process) report(token macaroon.Token, findings []finding, asJSON bool) error {
	command := repairCommand(token, findings)
	if asJSON {
		return p.printJSON(struct {
			Problems []finding `json:"problems"`
			Command  string    `json:"command,omitempty"`
		}{findings, command})
	}
	var b strings.Builder
	line := func(indent, text string) { b.WriteString(indent + printable.Escape(text) + "\n") }
	if !token.IsZero() {
		line("", fmt.Sprintf("%s %s of %s (not verified)", token.Type().Describe(), token.ID(), token.Subject()))
	}
	for i, text := range token.Caveats() {
		c, _ := caveat.Parse(text)
		line("  ", fmt.Sprintf("caveat %d: %s", i+1, explain(c)))
	}
	for _, each := range findings {
		b.WriteString("\n" + p.highlight("PROBLEM") + " ")
		if each.Caveat > 0 {
			line("", fmt.Sprintf("caveat %d, %s: %s", each.Caveat, printable.Quote(each.Text), each.Problem))
		} else {
			line("", each.Problem)
		}
		line("  fix: ", each.Fix)
		if each.Instead != "" {
			line("  instead: ", each.Instead)
		}
	}
	if command != "" {
		b.WriteString("\nCaveats cannot be removed. Confine the token that you had before:\n")
		line("  ", command)
	}
	if len(findings) == 0 {
		b.WriteString("\nno problems found; only its Onezone knows whether it is genuine and not revoked\n")
	}
	return write(p.out, b.String())
}

// repairCommand returns the command that makes the token as it was meant, "" if
// a finding has no repair.
func repairCommand(token macaroon.Token, findings []finding) string {
	texts, changed := append([]string{}, token.Caveats()...), false
	for _, each := range findings {
		switch {
		case each.Caveat == 0:
		case each.Instead == "":
			return ""
		default:
			texts[each.Caveat-1], changed = each.Instead, true
		}
	}
	if !changed {
		return ""
	}
	command := "onetoken confine"
	for _, text := range texts {
		if printable.Quote(text) != text {
			return ""
		}
		command += " '" + strings.ReplaceAll(text, "'", `'\''`) + "'"
	}
	return command + " < ORIGINAL"
}

// explain returns what a caveat means.
func explain(c caveat.Caveat) string {
	switch c := c.(type) {
	case caveat.Time:
		return "valid before " + moment(c.ValidUntil)
	case caveat.IP:
		return "only from the addresses " + joined(c)
	case caveat.ASN:
		return "only from the autonomous systems " + joined(c)
	case caveat.Country:
		return onlyOrNot(c.Filter) + " from the countries " + joined(c.List)
	case caveat.Region:
		return onlyOrNot(c.Filter) + " from the regions " + joined(c.List)
	case caveat.IdentityOnly:
		return "proves an identity and authorizes nothing"
	case caveat.Services:
		return "only at the services " + joined(c)
	case caveat.Consumers:
		return "only when used by " + joined(c)
	case caveat.Interface:
		return "only over the interface " + c.Name()
	case caveat.API:
		return "only for the operations " + joined(c)
	case caveat.DataReadonly:
		return "reads files, but does not change them"
	case caveat.DataPath:
		return "only for the files at and below " + joined(c)
	case caveat.DataObjectID:
		return "only for the files with the ids " + joined(c) + ", and below them"
	}
	return "UNKNOWN, so no Onezone accepts the token: " + printable.Quote(c.String())
}

func onlyOrNot(f caveat.Filter) string {
	if f == caveat.Blacklist {
		return "not"
	}
	return "only"
}

func joined[T any](list []T) string {
	texts := make([]string, len(list))
	for i, each := range list {
		texts[i] = printable.Quote(fmt.Sprint(each))
	}
	return strings.Join(texts, ", ")
}

// moment formats Unix seconds.
func moment(seconds int64) string {
	at := time.Unix(seconds, 0).UTC()
	if at.Year() > 9999 {
		return fmt.Sprintf("the second %d", seconds)
	}
	return at.Format(time.RFC3339)
}
