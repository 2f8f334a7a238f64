package tokeninfo

import (
	"cmp"

	"github.com/onezone-go/onezone/macaroon"
)

// Relative describes a token of a family in JSON.
type Relative struct {
	ID        string     `json:"tokenId"`
	Name      string     `json:"name"` // "" for the token of somebody else
	Subject   string     `json:"subject,omitempty"`
	Type      string     `json:"type,omitempty"`
	Revoked   bool       `json:"revoked"`
	Created   int64      `json:"creationTime"` // Unix seconds
	Children  []Relative `json:"children"`
	Truncated bool       `json:"truncated"`
}

// DescribeFamily returns the description of a token and its family.
func DescribeFamily(r macaroon.Relative) Relative {
	d := Relative{
		ID: r.ID, Name: r.Name, Revoked: r.Revoked, Created: r.Created.Unix(), Children: []Relative{}, Truncated: r.Truncated,
	}
	if !r.Subject.IsZero() {
		d.Subject, d.Type = r.Subject.String(), r.Type.Class().String()
	}
	for _, child := range r.Children {
		d.Children = append(d.Children, DescribeFamily(child))
	}
	return d
}

// Rows returns the rows of a table with the name, id, subject, type, state and
// time of creation of the token, and of each of its family, which is indented
// below it.
func (r Relative) Rows() [][]string { return r.appendRows(nil, "") }

func (r Relative) appendRows(rows [][]string, indent string) [][]string {
	state := Active
	if r.Revoked {
		state = Revoked
	}
	rows = append(rows, []string{indent + cmp.Or(r.Name, "(of another user)"), r.ID, r.Subject, r.Type, state, Moment(r.Created)})
	for _, child := range r.Children {
		rows = child.appendRows(rows, indent+"  ")
	}
	if r.Truncated {
		rows = append(rows, []string{indent + "  ...", "", "", "", "", ""})
	}
	return rows
}
