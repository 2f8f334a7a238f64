// Package vtest holds suites of macaroons with the verdict that a verification
// must give, in the manner of the suites of libmacaroons. The macaroons of version
// 1 were made by libmacaroons, those of version 2 by pymacaroons.
//
// A suite is a text. Each line is a key and a value; lines that begin with '#' and
// empty lines are comments:
//
//	case an expired macaroon
//	key the root key
//	exact user = alice
//	now 1700000000
//	macaroon MDAxY...
//	discharge MDAxZ...
//	verdict unauthorized
//
// A condition holds if it is one of those after exact, or if it is "time < T" and
// now is less than T. A case ends with its verdict: authorized, unauthorized, or
// stricter if this project refuses what others accept.
package vtest

import (
	"bufio"
	"context"
	"embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/onezone-go/onezone/caveat"
)

//go:embed testdata
var files embed.FS

// Verdict is what a verification must say.
type Verdict string

// The verdicts of a case.
const (
	Authorized   Verdict = "authorized"
	Unauthorized Verdict = "unauthorized"
	Stricter     Verdict = "stricter" // authorized elsewhere
)

// Case is a macaroon with its discharges and their verdict.
type Case struct {
	Name       string   `json:"name"`
	Key        string   `json:"key"`
	Exact      []string `json:"exact"` // the conditions that hold
	Now        int64    `json:"now"`   // Unix time
	Macaroon   string   `json:"macaroon"`
	Discharges []string `json:"discharges"`
	Verdict    Verdict  `json:"verdict"`
}

// Suites are the suites of the package, by the version of their macaroons.
func Suites() (map[int][]Case, error) {
	suites := make(map[int][]Case)
	for version := 1; version <= 2; version++ {
		data, err := files.ReadFile(FileName(version))
		if err != nil {
			return nil, err
		}
		if suites[version], err = parse(string(data)); err != nil {
			return nil, fmt.Errorf("%s: %w", FileName(version), err)
		}
	}
	return suites, nil
}

// FileName is the name of the file with the suite of a version.
func FileName(version int) string { return fmt.Sprintf("testdata/version%d.vtest", version) }

func parse(text string) (cases []Case, err error) {
	var c Case
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		key, value, _ := strings.Cut(lines.Text(), " ")
		switch key {
		case "case":
			c = Case{Name: value}
		case "key":
			c.Key = value
		case "exact":
			c.Exact = append(c.Exact, value)
		case "now":
			c.Now, err = strconv.ParseInt(value, 10, 64)
		case "macaroon":
			c.Macaroon = value
		case "discharge":
			c.Discharges = append(c.Discharges, value)
		case "verdict":
			c.Verdict = Verdict(value)
			if !slices.Contains([]Verdict{Authorized, Unauthorized, Stricter}, c.Verdict) || c.Name == "" || c.Macaroon == "" {
				return nil, fmt.Errorf("line %d: a case is incomplete, or its verdict %q unknown", n, value)
			}
			cases, c = append(cases, c), Case{}
		case "", "#":
		default:
			return nil, fmt.Errorf("line %d: the key %q is unknown", n, key)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	if c.Name != "" {
		return nil, fmt.Errorf("the last case, %q, has no verdict", c.Name)
	}
	return cases, lines.Err()
}

// Print returns the cases as the text of a suite.
func Print(cases []Case) string {
	var b strings.Builder
	for _, c := range cases {
		fmt.Fprintf(&b, "case %s\nkey %s\n", c.Name, c.Key)
		for _, exact := range c.Exact {
			fmt.Fprintf(&b, "exact %s\n", exact)
		}
		fmt.Fprintf(&b, "now %d\nmacaroon %s\n", c.Now, c.Macaroon)
		for _, discharge := range c.Discharges {
			fmt.Fprintf(&b, "discharge %s\n", discharge)
		}
		fmt.Fprintf(&b, "verdict %s\n\n", c.Verdict)
	}
	return b.String()
}

// Request returns the request of the case. Its vocabulary has the kinds of the
// exact conditions.
func (c Case) Request() (caveat.Request, error) {
	var kinds []caveat.Kind
	for _, condition := range c.Exact {
		name, _, _ := strings.Cut(condition, " = ")
		if slices.ContainsFunc(kinds, func(k caveat.Kind) bool { return k.Name == name }) {
			continue
		}
		kinds = append(kinds, caveat.Kind{Name: name, Satisfied: func(_ context.Context, value string, _ *caveat.Request) (bool, error) {
			return slices.Contains(c.Exact, name+" = "+value), nil
		}})
	}
	vocabulary, err := caveat.NewVocabulary(kinds...)
	return caveat.Request{Now: time.Unix(c.Now, 0), Vocabulary: vocabulary}, err
}
