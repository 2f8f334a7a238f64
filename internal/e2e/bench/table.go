package main

import (
	"fmt"
	"strings"
)

// row is a line of the table: a contender, and a ratio with its target.
type row struct {
	what string
	name string // of the contender

	// The ratio is over / under, divided by times unless that is 0.
	over, under string
	times       float64

	most      float64 // upper limit of the ratio; 0: none
	least     float64 // lower limit of the ratio; 0: none
	maxAllocs int64   // 0: any
}

// rows is the table, with the targets of the project.
func rows() []row {
	against := func(job, peer, what string, most float64) row {
		return row{what: what, name: job + "/" + peer, over: job + "/onezone", under: job + "/" + peer, most: most}
	}
	first := func(peer, what string, most float64) row {
		return row{what: what, name: "verify/" + peer, over: "first/onezone", under: "verify/" + peer, most: most}
	}
	return []row{
		{what: "**a token seen before**: onezone", name: "verify/onezone", maxAllocs: 1},
		against("verify", "macaroon.v2", "by hand on `gopkg.in/macaroon.v2`", 0.12),
		against("verify", "jwt", "`golang-jwt/jwt/v5`, HS256", 0.12),
		against("verify", "superfly", "`superfly/macaroon`", 0),
		against("verify", "chain", "the bare HMAC chain", 0.30),
		{what: "**a token seen for the first time**: onezone", name: "first/onezone", maxAllocs: 8},
		first("macaroon.v2", "by hand on `gopkg.in/macaroon.v2`", 0.55),
		first("jwt", "`golang-jwt/jwt/v5`, HS256", 0.50),
		first("superfly", "`superfly/macaroon`", 0),
		first("chain", "the bare HMAC chain", 1.7),
		{what: "1,000,000 tokens in turn, to the same without recognition", name: "distinct/recognition",
			over: "distinct/recognition", under: "distinct/none", most: 1.1},
		{what: "**mint**: onezone", name: "mint/onezone"},
		against("mint", "macaroon.v2", "by hand on `gopkg.in/macaroon.v2`", 0.5),
		against("mint", "jwt", "`golang-jwt/jwt/v5`, HS256", 0),
		against("mint", "superfly", "`superfly/macaroon`", 0),
		{what: "**at another Onezone**: answer in the cache, to an authority without recognition", name: "remote/cached",
			over: "remote/cached", under: "first/onezone", most: 1.0},
		{what: "no answer in the cache, to the bare HTTP request", name: "remote/cold", over: "remote/cold", under: "remote/http", most: 1.1},
		{what: "the bare HTTP request", name: "remote/http"},
		{what: "**a macaroon in version 2**, parsed with `macaroon/general`", name: "v2/onezone"},
		against("v2", "macaroon.v2", "with `gopkg.in/macaroon.v2`", 1.2),
		{what: "**with two discharges**, from texts in version 2", name: "discharges/onezone"},
		against("discharges", "macaroon.v2", "with `gopkg.in/macaroon.v2`", 0.6),
		{what: "**a macaroon in version 2**, verified with `macaroon/general`", name: "general/first"},
		{what: "seen before, with `general.Verifier`", name: "general/seen", over: "general/seen", under: "general/first"},
		{what: "**a bundle** of 1 macaroon, parsed", name: "bundle/1"},
		{what: "10 macaroons, to 10 times 1", name: "bundle/10", over: "bundle/10", under: "bundle/1", times: 10, most: 1.15},
		{what: "100 macaroons, to 10 times 10", name: "bundle/100", over: "bundle/100", under: "bundle/10", times: 10, most: 1.15},
		{what: "**growth**: verify with 1 caveat", name: "caveats/1"},
		{what: "10 caveats, to 10 times 1", name: "caveats/10", over: "caveats/10", under: "caveats/1", times: 10, most: 1.15},
		{what: "100 caveats, to 10 times 10", name: "caveats/100", over: "caveats/100", under: "caveats/10", times: 10, most: 1.15},
		{what: "verify with 10 tokens stored", name: "stored/10"},
		{what: "1,000,000 tokens stored, to 10", name: "stored/1000000", over: "stored/1000000", under: "stored/10", most: 1.15},
		{what: "one token, seen before, on 1 core", name: "one token, cores/1"},
		{what: "on 2 cores, throughput to that on 1", name: "one token, cores/2", over: "one token, cores/1", under: "one token, cores/2", least: 1.7},
		{what: "1,000 tokens, seen before, on 1 core", name: "many tokens, cores/1"},
		{what: "on 2 cores, throughput to that on 1", name: "many tokens, cores/2", over: "many tokens, cores/1", under: "many tokens, cores/2", least: 1.7},
	}
}

// table returns the measured rows as Markdown, and the number of missed
// targets.
func (m measurements) table(rows []row) (text string, missed int) {
	var b strings.Builder
	b.WriteString("| what | ns/op | allocs/op | ratio | target |\n| --- | ---: | ---: | ---: | --- |\n")
	for _, r := range rows {
		s := m[r.name]
		if s == nil {
			continue // not measured on a machine with one core
		}
		ratio, target, met := "", "", true
		if r.under != "" {
			value := m.ratio(r.over, r.under) / max(r.times, 1)
			ratio = fmt.Sprintf("%.2f", value)
			met = (r.most == 0 || value <= r.most) && value >= r.least
		}
		switch {
		case r.most > 0:
			target = fmt.Sprintf("<= %.2f", r.most)
		case r.least > 0:
			target = fmt.Sprintf(">= %.2f", r.least)
		case r.maxAllocs > 0:
			target = fmt.Sprintf("<= %d allocs", r.maxAllocs)
			met = s.allocs <= r.maxAllocs
		}
		if !met {
			target += " **missed**"
			missed++
		}
		fmt.Fprintf(&b, "| %s | %.0f | %d | %s | %s |\n", r.what, median(s.ns), s.allocs, ratio, target)
	}
	return b.String(), missed
}
