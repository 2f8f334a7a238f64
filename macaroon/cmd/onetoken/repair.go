package main

import (
	"encoding/base64"
	"net/netip"
	"regexp"
	"strings"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/nearest"
)

// loose matches a caveat in a spelling that people use: a kind, an operator and
// a value.
var loose = regexp.MustCompile(`(?s)^\s*([A-Za-z._]+)\s*(?:(<=?|!=|==?|:)\s*(.*?))?\s*$`)

// diagnoseUnknown returns why a caveat is outside the language, and which caveat
// was probably meant.
func diagnoseUnknown(text string) finding {
	found := finding{
		Problem: "UNKNOWN: it is not in the language of Onezone, so no Onezone accepts the token",
		Fix:     "correct the caveat; if it is one of an application, only that application accepts the token",
	}
	parts := loose.FindStringSubmatch(text)
	if parts == nil {
		return found
	}
	kind := kindNamed(parts[1])
	if kind == caveat.TypeIP && hasIPv6(parts[3]) {
		found.Problem = "UNKNOWN: ip caveats have IPv4 addresses only, so no Onezone accepts the token"
		return found
	}
	candidate := repaired(kind, parts[2], parts[3])
	c, err := caveat.Parse(candidate)
	if err != nil || caveat.Validate(c) != nil {
		if kind != "" { // the error says which form the kind has
			why := errors.From(caveat.Validate(caveat.Unknown(string(kind) + " = "))).Description
			_, found.Fix, _ = strings.Cut(strings.TrimSuffix(why, "."), "; ")
		}
		return found
	}
	found.Fix = "write it exactly, spaces included"
	found.Instead = c.String()
	return found
}

// shortNames are names that people use for kinds of caveats.
var shortNames = map[string]caveat.Type{
	"country": caveat.TypeCountry, "region": caveat.TypeRegion, "path": caveat.TypeDataPath,
	"readonly": caveat.TypeDataReadonly, "objectid": caveat.TypeDataObjectID, "expires": caveat.TypeTime,
}

// kindNamed returns the kind that was probably meant, "" if none was.
func kindNamed(name string) caveat.Type {
	name = strings.ToLower(name)
	if kind, ok := shortNames[name]; ok {
		return kind
	}
	var known []string
	for _, kind := range caveat.Types() {
		known = append(known, string(kind))
	}
	// Another first letter is more likely the kind of an application.
	if kind := nearest.Name(name, known); kind != "" && kind[0] == name[0] {
		return caveat.Type(kind)
	}
	return ""
}

func hasIPv6(value string) bool {
	for _, each := range items(value) {
		address, _, _ := strings.Cut(each, "/")
		if ip, err := netip.ParseAddr(address); err == nil && ip.Is6() {
			return true
		}
	}
	return false
}

// items splits a list with any separator.
func items(value string) []string {
	return strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune("|,; \t\r\n", r) })
}

// repaired returns the text of the caveat as it was probably meant.
func repaired(kind caveat.Type, operator, value string) string {
	value = strings.Trim(value, `"'`)
	repair := func(one string) string { return one }
	switch kind {
	case caveat.TypeDataReadonly:
		return caveat.DataReadonly{}.String()
	case caveat.TypeTime:
		if at, err := parseMoment(value); err == nil {
			return caveat.Until(at).String()
		}
		return ""
	case caveat.TypeInterface:
		repair = strings.ToLower
	case caveat.TypeASN:
		repair = func(one string) string { return strings.TrimPrefix(strings.ToUpper(one), "AS") }
	case caveat.TypeCountry:
		repair = countryCode
	case caveat.TypeRegion:
		repair = func(one string) string { return nearest.Name(one, caveat.Regions()) }
	case caveat.TypeDataPath:
		repair = encodedPath
	}
	list := items(value)
	for i := range list {
		list[i] = repair(list[i])
	}
	if operator != "!=" {
		operator = "="
	}
	return string(kind) + " " + operator + " " + strings.Join(list, "|")
}

// encodedPath returns the base64 of a path, also of one that lacks its padding.
func encodedPath(text string) string {
	if strings.HasPrefix(text, "/") {
		return base64.StdEncoding.EncodeToString([]byte(text))
	}
	if raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "=")); err == nil {
		return base64.StdEncoding.EncodeToString(raw)
	}
	return text
}
