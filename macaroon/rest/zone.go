package rest

import (
	"cmp"
	"net/http"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
)

// Configuration describes an installation, for everybody.
type Configuration struct {
	Name    string // for people; "" if it has none
	Version string // of the software; "" is answered as "unknown"
	Build   string // of the software, such as a commit; "" is answered as "unknown"
	// IdentityProviders are the ids of the identity providers for log-ins, in
	// the order in which they are offered, without passwords.
	IdentityProviders []string
}

// user describes the client itself. Properties that an authority does not keep
// are empty.
func (c *call) user() error {
	u, err := c.authority.User(c.r.Context(), c.owner)
	if err != nil && !errors.Is(err, errors.IDNotFound) {
		return err
	}
	if err != nil { // known to a directory or identity provider, but not to the store
		u = macaroon.User{Subject: c.owner}
	}
	var username *string
	if u.Username != "" {
		username = &u.Username
	}
	var created int64
	if !u.Created.IsZero() {
		created = u.Created.Unix()
	}
	none := []string{}
	respond(c.w, http.StatusOK, map[string]any{
		"userId": c.owner.ID, "fullName": u.FullName, "username": username, "emails": none, "linkedAccounts": none,
		"basicAuthEnabled": u.HasPassword, "blocked": u.Blocked, "creationTime": created,
		"name": u.FullName, "login": username, "alias": username, "emailList": none, // for old clients
	})
	return nil
}

// idPasswords is the id of log-ins with a password in the list of identity
// providers.
const idPasswords = "basicAuth"

// configuration describes the installation.
func (c *call) configuration() error {
	type provider struct {
		ID            string `json:"id"`
		OfflineAccess bool   `json:"offlineAccess"`
	}
	providers := []provider{}
	if !c.noBasic {
		providers = append(providers, provider{ID: idPasswords})
	}
	for _, id := range c.zone.IdentityProviders {
		providers = append(providers, provider{ID: id})
	}
	var name *string
	if c.zone.Name != "" {
		name = &c.zone.Name
	}
	const unknown = "unknown"
	respond(c.w, http.StatusOK, map[string]any{
		"name": name, "domain": c.authority.Domain(),
		"version": cmp.Or(c.zone.Version, unknown), "build": cmp.Or(c.zone.Build, unknown), "supportedIdPs": providers,
		"subdomainDelegationSupported": false, "compatibilityRegistryRevision": 0,
		"compatibleOneproviderVersions": []string{}, "availableSpaceTags": struct{}{},
	})
	return nil
}
