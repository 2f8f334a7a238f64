package rest

import (
	"context"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
)

// familyMemory is the memory of a family, in bytes.
const familyMemory = 4 << 20

// family answers with the tree of the tokens that were minted with the token
// that the path names.
func (c *call) family() error {
	if err := c.slot.reserve(c.r.Context(), records, familyMemory); err != nil {
		return err
	}
	r, err := c.authority.Family(c.r.Context(), c.tokenID)
	if err != nil {
		return err
	}
	v := familyView{call: c, manages: map[caveat.Subject]bool{}}
	shown, err := v.member(c.r.Context(), r)
	return c.answer(shown, err)
}

// familyView shows a family to a client.
type familyView struct {
	*call
	manages map[caveat.Subject]bool // whether the client manages tokens of the subject
}

// familyMember is a token in the JSON form of a family. The client manages the
// first token, but perhaps not those that were minted with it for others: their
// name, subject and type are null.
type familyMember struct {
	ID        string          `json:"id"`
	Name      *string         `json:"name"`
	Subject   *caveat.Subject `json:"subject"`
	Type      *macaroon.Type  `json:"type"`
	Created   int64           `json:"creationTime"`
	Revoked   bool            `json:"revoked"`
	Children  []familyMember  `json:"children"`
	Truncated bool            `json:"truncated"`
}

func (v familyView) member(ctx context.Context, r macaroon.Relative) (m familyMember, err error) {
	m = familyMember{
		ID: r.ID, Created: r.Created.Unix(), Revoked: r.Revoked, Children: []familyMember{}, Truncated: r.Truncated,
	}
	manages, known := v.manages[r.Subject]
	if !known {
		if manages, err = managesOwner(ctx, question{client: v.client.Subject, owner: r.Subject, rights: v.rights}); err != nil {
			return m, err
		}
		v.manages[r.Subject] = manages
	}
	if manages {
		m.Name, m.Subject, m.Type = &r.Name, &r.Subject, &r.Type
	}
	for _, child := range r.Children {
		shown, err := v.member(ctx, child)
		if err != nil {
			return m, err
		}
		m.Children = append(m.Children, shown)
	}
	return m, nil
}

// revokeFamily revokes the token that the path names, and all that were minted
// with it.
func (c *call) revokeFamily() error {
	return c.answerEmpty(c.authority.RevokeFamily(c.r.Context(), c.tokenID))
}
