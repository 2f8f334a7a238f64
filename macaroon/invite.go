package macaroon

import (
	"slices"

	"github.com/onezone-go/onezone/errors"
)

// InviteType specifies who may join or support what. The zero InviteType is
// invalid, except as an expected type, where it means any.
type InviteType uint8

// The invite types.
const (
	UserJoinGroup InviteType = iota + 1
	GroupJoinGroup
	UserJoinSpace
	GroupJoinSpace
	SupportSpace
	HarvesterJoinSpace
	RegisterOneprovider
	UserJoinCluster
	GroupJoinCluster
	UserJoinHarvester
	GroupJoinHarvester
	SpaceJoinHarvester
	UserJoinAtmInventory
	GroupJoinAtmInventory
)

// invitation holds the constants of an invite type.
type invitation struct {
	code      string   // in the identifier
	name      string   // in JSON
	targetKey string   // JSON key of the target's id
	phrase    string   // for Describe, before the target's id
	defaults  []string // privileges that the new member gets by default, sorted; nil: type without privileges
	allowed   []string // privileges that a token may grant instead, sorted
}

var invitations = [...]invitation{
	UserJoinGroup:         {"ujg", "userJoinGroup", "groupId", "for a user to join the group", []string{"group_view"}, groupPrivileges},
	GroupJoinGroup:        {"gjg", "groupJoinGroup", "groupId", "for a group to join the parent group", []string{"group_view"}, groupPrivileges},
	UserJoinSpace:         {"ujs", "userJoinSpace", "spaceId", "for a user to join the space", spaceMember, spacePrivileges},
	GroupJoinSpace:        {"gjs", "groupJoinSpace", "spaceId", "for a group to join the space", spaceMember, spacePrivileges},
	SupportSpace:          {"ssp", "supportSpace", "spaceId", "for a Oneprovider to support the space", nil, nil},
	HarvesterJoinSpace:    {"hjs", "harvesterJoinSpace", "spaceId", "for a harvester to join the space", nil, nil},
	RegisterOneprovider:   {"rop", "registerOneprovider", "adminUserId", "to register a Oneprovider for the admin user", nil, nil},
	UserJoinCluster:       {"ujc", "userJoinCluster", "clusterId", "for a user to join the cluster", clusterPrivileges, clusterPrivileges},
	GroupJoinCluster:      {"gjc", "groupJoinCluster", "clusterId", "for a group to join the cluster", []string{"cluster_view"}, clusterPrivileges},
	UserJoinHarvester:     {"ujh", "userJoinHarvester", "harvesterId", "for a user to join the harvester", []string{"harvester_view"}, harvesterPrivileges},
	GroupJoinHarvester:    {"gjh", "groupJoinHarvester", "harvesterId", "for a group to join the harvester", []string{"harvester_view"}, harvesterPrivileges},
	SpaceJoinHarvester:    {"sjh", "spaceJoinHarvester", "harvesterId", "for a space to join the harvester", nil, nil},
	UserJoinAtmInventory:  {"uji", "userJoinAtmInventory", "atmInventoryId", "for a user to join the automation inventory", []string{"atm_inventory_view"}, inventoryPrivileges},
	GroupJoinAtmInventory: {"gji", "groupJoinAtmInventory", "atmInventoryId", "for a group to join the automation inventory", []string{"atm_inventory_view"}, inventoryPrivileges},
}

func (i InviteType) row() invitation {
	if int(i) >= len(invitations) {
		return invitation{}
	}
	return invitations[i]
}

// parameters returns the last part of the text of an invite type. It has no
// meaning, and only supportSpace has a nonempty one.
func (i InviteType) parameters() string {
	if i == SupportSpace {
		return "ge"
	}
	return ""
}

// String returns the JSON name, such as "userJoinGroup". For the zero
// InviteType it returns "any", as in errors about the expected invite type.
func (i InviteType) String() string {
	if name := i.row().name; name != "" {
		return name
	}
	return "any"
}

// ParseInviteType parses a JSON name, such as "userJoinGroup". The error is
// badValueNotAllowed {key "inviteType"}, also for "any".
func ParseInviteType(name string) (InviteType, error) {
	if i := inviteTypeWhere(func(i invitation) bool { return i.name == name }); i != 0 {
		return i, nil
	}
	var names []string
	for _, i := range invitations[UserJoinGroup:] {
		names = append(names, i.name)
	}
	return 0, errors.BadValueNotAllowed("inviteType", names...)
}

// inviteTypeWhere returns the invite type that matches, or zero.
func inviteTypeWhere(matches func(invitation) bool) InviteType {
	i := slices.IndexFunc(invitations[UserJoinGroup:], matches) // counts from the first type; -1 if none
	return InviteType(i + int(UserJoinGroup))
}

// DefaultPrivileges returns the privileges that a new member gets by default,
// sorted. It returns nil for types without privileges.
func (i InviteType) DefaultPrivileges() []string { return slices.Clone(i.row().defaults) }

// AllowedPrivileges returns the privileges that a token may grant to a new
// member, sorted. It returns nil for types without privileges.
func (i InviteType) AllowedPrivileges() []string { return slices.Clone(i.row().allowed) }
