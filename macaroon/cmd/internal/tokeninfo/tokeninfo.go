// Package tokeninfo describes named tokens for the output of the commands, which
// never contains their texts.
package tokeninfo

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/onezone-go/onezone/macaroon"
)

// Token describes a named token in JSON.
type Token struct {
	ID       string   `json:"tokenId"`
	Name     string   `json:"name"`
	Subject  string   `json:"subject"`            // such as usr-ID
	Username string   `json:"username,omitempty"` // only a store knows it
	Type     string   `json:"type"`               // access, identity or invite
	State    string   `json:"state"`              // active, revoked or expired
	Caveats  []string `json:"caveats"`
	Created  int64    `json:"creationTime"`         // Unix seconds
	Expires  *int64   `json:"validUntil,omitempty"` // Unix seconds; nil: never
	LastUse  *Use     `json:"lastUse,omitempty"`    // nil: none was recorded
	Parent   string   `json:"parentTokenId,omitempty"`
	Added    []string `json:"serverCaveats,omitempty"` // caveats that the owner added
	Bait     string   `json:"bait,omitempty"`          // as for --bait of onezone

	named macaroon.Named
}

// Use describes the last use of a token in JSON.
type Use struct {
	Time      int64  `json:"time"`              // Unix seconds, of the minute
	Address   string `json:"address,omitempty"` // or network
	Service   string `json:"service,omitempty"`
	Interface string `json:"interface,omitempty"`
	Count     int64  `json:"count"`
}

// The states of named tokens.
const (
	Active  = "active"
	Revoked = "revoked"
	Expired = "expired"
)

// Describe returns the description of a token at the time.
func Describe(n macaroon.Named, now time.Time) Token {
	t := Token{
		ID: n.ID(), Name: n.Name, Subject: n.Subject.String(), Type: n.Type().Class().String(), State: Active,
		Caveats: append([]string{}, n.Caveats()...), Created: n.Created.Unix(), Parent: n.Parent, named: n,
	}
	if until, ok := n.Expiry(); ok {
		t.Expires = &until
		if now.Unix() >= until {
			t.State = Expired
		}
	}
	if n.Revoked {
		t.State = Revoked
	}
	for _, a := range n.Tightened {
		t.Added = append(t.Added, a.Text)
	}
	if u := n.LastUse; u != nil && !u.IsZero() {
		t.LastUse = &Use{u.At, u.Address, u.Service, u.Interface, u.Count}
	}
	return t
}

// Named returns the token that is described.
func (t Token) Named() macaroon.Named { return t.named }

// Expiry returns the time of expiry, "never" if there is none.
func (t Token) Expiry() string {
	if t.Expires == nil {
		return "never"
	}
	return Moment(*t.Expires)
}

// AllCaveats returns the caveats of the token and those that the owner added.
func (t Token) AllCaveats() string {
	all := slices.Clone(t.Caveats)
	for _, each := range t.Added {
		all = append(all, each+" (added)")
	}
	return strings.Join(all, "; ")
}

// Used returns the time of the last use, "none" if none was recorded.
func (t Token) Used() string {
	if t.LastUse == nil {
		return "none"
	}
	return Moment(t.LastUse.Time)
}

// DescribeUse returns what is known of the last use.
func (t Token) DescribeUse() string {
	text := t.Used()
	if t.LastUse == nil {
		return text
	}
	for _, part := range []struct{ word, value string }{
		{" from ", t.LastUse.Address}, {" at ", t.LastUse.Service}, {" by ", t.LastUse.Interface},
	} {
		if part.value != "" {
			text += part.word + part.value
		}
	}
	return fmt.Sprintf("%s, %d in all", text, t.LastUse.Count)
}

// Fields returns the rows of a table of what is known of the token: the first
// ones, and those about its caveats and its parent.
func (t Token) Fields(first ...[]string) [][]string {
	rows := first
	for _, each := range t.Caveats {
		rows = append(rows, []string{"caveat", each})
	}
	for _, a := range t.named.Tightened {
		rows = append(rows, []string{"added on " + a.Added.Format(time.DateOnly), a.Text})
	}
	if t.Parent != "" {
		rows = append(rows, []string{"minted with", t.Parent})
	}
	return rows
}

// Moment returns a time in UTC, "" if it is unknown.
func Moment(seconds int64) string {
	switch at := time.Unix(seconds, 0).UTC(); {
	case seconds == 0:
		return ""
	case at.Year() > 9999:
		return fmt.Sprintf("the second %d", seconds)
	default:
		return at.Format(time.RFC3339)
	}
}
