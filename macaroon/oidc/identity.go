package oidc

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"unicode"
)

// identity is what the claims of a token say about its user.
type identity struct {
	subject            string
	username, fullName string // "": not said
	hasGroups          bool   // whether there is a list of groups
	allowed            bool   // whether one of them is allowed
	asked              bool   // whether the userinfo endpoint was asked
}

// or returns i with what only other says.
func (i identity) or(other identity) identity {
	i.username, i.fullName = cmp.Or(i.username, other.username), cmp.Or(i.fullName, other.fullName)
	if !i.hasGroups {
		i.hasGroups, i.allowed = other.hasGroups, other.allowed
	}
	i.asked = true
	return i
}

// saysAll reports whether the userinfo endpoint could add nothing.
func (o Options) saysAll(i identity) bool {
	return i.asked || i.fullName != "" && (i.username != "" || o.UsernameClaim == "") && (i.hasGroups || len(o.AllowedGroups) == 0)
}

// claims are the members of a JSON object, by their exact names: package json
// would take a claim "SUB" for "sub".
type claims map[string]json.RawMessage

// Limits of claims, in bytes.
const (
	maxSubject = 255 // OpenID Connect Core 1.0, section 2
	maxName    = 255
)

// identity returns what the claims say.
func (o Options) identity(c claims) (identity, error) {
	who := identity{subject: c.text("sub")}
	if who.subject == "" || len(who.subject) > maxSubject || strings.ContainsFunc(who.subject, unicode.IsControl) {
		return identity{}, refusal("the claim sub is missing, too long or has control characters")
	}
	if o.UsernameClaim != "" {
		who.username = c.name(o.UsernameClaim)
	}
	who.fullName = c.name("name")
	if len(o.AllowedGroups) > 0 {
		var groups []string
		groups, who.hasGroups = c.texts(o.GroupsClaim)
		who.allowed = slices.ContainsFunc(groups, func(g string) bool { return slices.Contains(o.AllowedGroups, g) })
	}
	return who, nil
}

// text returns a claim that is a string, else "".
func (c claims) text(name string) string {
	var text string
	if json.Unmarshal(c[name], &text) != nil {
		return ""
	}
	return text
}

func (c claims) name(name string) string {
	text := c.text(name)
	if len(text) > maxName {
		return ""
	}
	return text
}

// texts returns a claim that is a list of strings, or one string.
func (c claims) texts(name string) (list []string, ok bool) {
	raw, ok := c[name]
	if !ok {
		return nil, false
	}
	var one string
	if json.Unmarshal(raw, &one) == nil && string(raw) != "null" {
		return []string{one}, true
	}
	if json.Unmarshal(raw, &list) != nil {
		return nil, false
	}
	return list, list != nil
}
