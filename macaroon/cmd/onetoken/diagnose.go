package main

import (
	"encoding/base64"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/nearest"
	"github.com/onezone-go/onezone/internal/printable"
	"github.com/onezone-go/onezone/macaroon"
)

// diagnose returns what is wrong with the caveats of a token.
func diagnose(token macaroon.Token, now time.Time) []finding {
	var all []finding
	texts := token.Caveats()
	caveats := make([]caveat.Caveat, len(texts))
	for i, text := range texts {
		caveats[i], _ = caveat.Parse(text)
	}
	use := useOf(token, caveats)
	for i, c := range caveats {
		found, ok := diagnoseCaveat(c, now)
		if api, is := c.(caveat.API); is && !ok && api.String() != texts[i] {
			found, ok = withoutScope(api, texts[i]), true
		}
		if !ok && !c.Type().SupportedBy(use) {
			found, ok = unsupported(c, token), true
		}
		if ok {
			found.Caveat, found.Text = i+1, texts[i]
			all = append(all, found)
		}
	}
	for _, found := range contradictions(caveats) {
		found.Text = texts[found.Caveat-1]
		all = append(all, found)
	}
	return all
}

// useOf returns what the token can be used for.
func useOf(token macaroon.Token, caveats []caveat.Caveat) caveat.Use {
	switch token.Type().Class() {
	case macaroon.Identity:
		return caveat.UseIdentity
	case macaroon.Invite:
		return caveat.UseInvite
	}
	for _, c := range caveats {
		if c.Type() == caveat.TypeIdentityOnly {
			return caveat.UseAccessAsIdentity
		}
	}
	return caveat.UseAccess
}

func unsupported(c caveat.Caveat, token macaroon.Token) finding {
	kind := token.Type().Describe()
	if token.Type().Class() == macaroon.Access {
		kind = "access token that only proves an identity"
	}
	return finding{
		Problem: fmt.Sprintf("caveats of the type %s are not supported by an %s, so it never verifies", c.Type(), kind),
		Fix:     "leave the caveat out, or use an access token",
	}
}

// diagnoseCaveat returns what is wrong with one caveat. ok is false if nothing
// is.
func diagnoseCaveat(c caveat.Caveat, now time.Time) (found finding, ok bool) {
	switch c := c.(type) {
	case caveat.Unknown:
		return diagnoseUnknown(string(c)), true
	case caveat.Time:
		return diagnoseTime(c, now)
	case caveat.Country:
		return diagnoseCountry(c)
	case caveat.Region:
		return diagnoseRegion(c)
	case caveat.Services:
		return diagnoseServices(c)
	case caveat.DataPath:
		return diagnosePath(c)
	}
	err := caveat.Validate(c)
	if err == nil {
		return finding{}, false
	}
	return finding{Problem: errors.From(err).Description, Fix: "correct the value"}, true
}

// withoutScope returns the finding for an api caveat with patterns that have no
// scope.
func withoutScope(c caveat.API, text string) finding {
	_, value, _ := strings.Cut(text, "= ")
	specs := strings.Split(value, "|")
	for i, spec := range specs {
		if !strings.Contains(spec, ":") {
			specs[i] += ":*"
		}
	}
	return finding{
		Problem: "a pattern without a scope matches the scope private only: " + c.String(),
		Fix:     "write :* for all scopes", Instead: "api = " + strings.Join(specs, "|"),
	}
}

// maxSeconds is a time that is probably in milliseconds: in seconds, it is in the
// year 5138.
const maxSeconds = 100_000_000_000

func diagnoseTime(c caveat.Time, now time.Time) (finding, bool) {
	switch {
	case c.ValidUntil >= maxSeconds:
		right := caveat.Time{ValidUntil: c.ValidUntil / 1000}
		return finding{
			Problem: "the time is in the far future; it is probably in milliseconds",
			Fix:     "give seconds: " + moment(right.ValidUntil), Instead: right.String(),
		}, true
	case now.Unix() >= c.ValidUntil:
		return finding{
			Problem: "EXPIRED: the time is past since " + moment(c.ValidUntil),
			Fix: "get a new token, with onetoken create or in the web interface of Onezone, " +
				"or confine the original again with --ttl",
		}, true
	}
	return finding{}, false
}

func diagnoseCountry(c caveat.Country) (finding, bool) {
	right, wrong, known := make([]string, len(c.List)), "", true
	for i, code := range c.List {
		if right[i] = countryCode(code); right[i] != code && wrong == "" {
			wrong = code
		}
		known = known && right[i] != ""
	}
	if wrong == "" {
		return finding{}, false
	}
	effect := "so it matches no client"
	if c.Filter == caveat.Blacklist {
		effect = "so it excludes no client"
	}
	found := finding{
		Problem: fmt.Sprintf("%s is not a country code of ISO 3166, %s", printable.Quote(wrong), effect),
		Fix:     "give codes such as PL",
	}
	if meant := countryCode(wrong); meant != "" {
		found.Fix = "the code is " + meant
	}
	if strings.EqualFold(wrong, "EU") {
		found.Fix = "the European Union is a region"
		if len(c.List) == 1 {
			found.Instead = caveat.Region{Filter: c.Filter, List: []string{"EU"}}.String()
		}
		return found, true
	}
	if known {
		found.Instead = caveat.Country{Filter: c.Filter, List: right}.String()
	}
	return found, true
}

func diagnoseRegion(c caveat.Region) (finding, bool) {
	right, wrong, known := make([]string, len(c.List)), "", true
	for i, name := range c.List {
		if right[i] = nearest.Name(strings.ReplaceAll(name, " ", ""), caveat.Regions()); right[i] != name && wrong == "" {
			wrong = name
		}
		known = known && right[i] != ""
	}
	if wrong == "" {
		return finding{}, false
	}
	found := finding{
		Problem: printable.Quote(wrong) + " is not a region of Onezone",
		Fix:     "the regions are " + list(caveat.Regions(), "and"),
	}
	if known {
		found.Instead = caveat.Region{Filter: c.Filter, List: right}.String()
	}
	return found, true
}

func diagnoseServices(c caveat.Services) (finding, bool) {
	right := make(caveat.Services, len(c))
	problem := ""
	for i, s := range c {
		right[i] = s
		switch ofOnezone := s.Type == caveat.OzWorker || s.Type == caveat.OzPanel; {
		case s.ID == "":
			problem = printable.Quote(s.String()) + " has no id, so it matches no service"
			right[i].ID = "*"
		case ofOnezone && s.ID != caveat.OnezoneID && s.ID != "*":
			problem = printable.Quote(s.String()) + " matches no service, because the id of Onezone's own services is " + caveat.OnezoneID
			right[i].ID = caveat.OnezoneID
		}
	}
	if problem == "" {
		return finding{}, false
	}
	return finding{
		Problem: problem,
		Fix:     "give the id of the service, or * for all of the type",
		Instead: right.String(),
	}, true
}

func diagnosePath(c caveat.DataPath) (finding, bool) {
	if caveat.Validate(c) == nil && !hasLineEnding(c) {
		return finding{}, false
	}
	right := make(caveat.DataPath, len(c))
	for i, each := range c {
		if plain := base64.StdEncoding.EncodeToString([]byte(each)); !strings.HasPrefix(each, "/") && strings.HasPrefix(plain, "/") {
			each = plain // it was not encoded, but looks as if it was
		}
		right[i] = path.Clean("/" + strings.TrimRight(each, "\r\n"))
	}
	found := finding{
		Problem: "a path must be absolute, with a space and without empty, . and .. components",
		Fix:     "give the path as Onezone shows it",
	}
	if hasLineEnding(c) {
		found.Problem = "a path ends in a newline, because echo adds one before base64 encodes it; no file has that path"
		found.Fix = "encode it with: printf %s PATH | base64"
	}
	if caveat.Validate(right) == nil {
		found.Instead = right.String()
	}
	return found, true
}

func hasLineEnding(paths []string) bool {
	for _, each := range paths {
		if strings.HasSuffix(each, "\n") || strings.HasSuffix(each, "\r") {
			return true
		}
	}
	return false
}
