package page

import (
	"encoding/json"
	"fmt"

	"github.com/onezone-go/onezone/macaroon"
)

// invitation describes a type of invite tokens.
type invitation struct {
	Type       string   `json:"type"`
	Target     string   `json:"target"`     // member of the token type that has the id
	Privileges []string `json:"privileges"` // that a token may grant; null: the type has none
	Defaults   []string `json:"defaults"`
}

// invitations returns all types of invite tokens.
func invitations() (list []invitation) {
	for t := macaroon.UserJoinGroup; t <= macaroon.GroupJoinAtmInventory; t++ {
		list = append(list, invitation{t.String(), targetOf(t), t.AllowedPrivileges(), t.DefaultPrivileges()})
	}
	return list
}

// targetOf returns the member that has the id of the target, such as "groupId".
func targetOf(t macaroon.InviteType) string {
	const id = "id"
	data, err := json.Marshal(macaroon.InviteToken(t, id))
	if err != nil {
		panic(fmt.Errorf("encode an invite type: %w", err)) // which always marshals
	}
	var typ struct {
		InviteToken map[string]any `json:"inviteToken"`
	}
	_ = json.Unmarshal(data, &typ) // just encoded
	for member, value := range typ.InviteToken {
		if value == id {
			return member
		}
	}
	panic(fmt.Sprintf("the type %v has no target", t))
}
