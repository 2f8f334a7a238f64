package rest

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
)

// dataAccessScope is the data to which a token gives access, in the JSON form
// of the API.
type dataAccessScope struct {
	Readonly  bool                    `json:"readonly"`
	Spaces    map[string]spaceScope   `json:"spaces"`
	Providers map[string]ProviderInfo `json:"providers"`
}

type spaceScope struct {
	Name     string                  `json:"name"`
	Supports map[string]supportScope `json:"supports"`
}

type supportScope struct {
	Readonly bool `json:"readonly"`
}

// inferScope answers with the expiry of an access token and its data access
// scope.
func (c *call) inferScope() error {
	in := c.input()
	t := in.token("token")
	consumer := in.partyToken("consumerToken")
	if in.err != nil {
		return in.err
	}
	req := caveat.Request{
		IP:         c.client.PeerIP,
		Session:    caveat.AnySession(),
		DataAccess: true,
		Ignored:    []caveat.Type{caveat.TypeService, caveat.TypeInterface},
		Consumer:   t.Subject(),

		ConsumerToken: consumer,
	}
	auth, err := c.authority.VerifyAccess(c.r.Context(), t.text, req)
	if err != nil {
		return err
	}
	scope, err := c.scopeOf(auth)
	if err != nil {
		return err
	}
	var validUntil *int64
	if until, ok := auth.Expiry(); ok {
		validUntil = &until
	}
	respond(c.w, http.StatusOK, map[string]any{"validUntil": validUntil, "dataAccessScope": scope})
	return nil
}

// scopeOf returns the data access scope of the token, nil for the token of a
// Oneprovider.
func (c *call) scopeOf(auth macaroon.Auth) (*dataAccessScope, error) {
	if auth.Subject.Type != caveat.SubjectUser {
		return nil, nil
	}
	var spaces []Space
	if c.scopes != nil {
		var err error
		if spaces, err = c.scopes.Spaces(c.r.Context(), auth.Subject); err != nil {
			return nil, fmt.Errorf("listing the spaces of a user: %w", err)
		}
	}
	spaces = availableSpaces(auth, spaces)
	scope := &dataAccessScope{
		Readonly:  slices.ContainsFunc(auth.Caveats(), func(c caveat.Caveat) bool { return c.Type() == caveat.TypeDataReadonly }),
		Spaces:    map[string]spaceScope{},
		Providers: map[string]ProviderInfo{},
	}
	for _, id := range allowedProviders(auth, spaces) {
		var err error
		if scope.Providers[id], err = c.scopes.Provider(c.r.Context(), id); err != nil {
			return nil, fmt.Errorf("looking up a provider: %w", err)
		}
	}
	for _, s := range spaces {
		scope.Spaces[s.ID] = spaceScope{s.Name, supports(s, scope.Providers)}
	}
	return scope, nil
}

// availableSpaces returns the spaces that the data caveats of the token allow.
func availableSpaces(auth macaroon.Auth, spaces []Space) []Space {
	var ids []string
	for _, s := range spaces {
		ids = append(ids, s.ID)
	}
	left := map[string]bool{}
	for _, id := range caveat.AvailableSpaces(auth.Caveats(), ids) {
		left[id] = true
	}
	return slices.DeleteFunc(slices.Clone(spaces), func(s Space) bool { return !left[s.ID] })
}

// allowedProviders returns the providers that support one of the spaces and may
// use the token.
func allowedProviders(auth macaroon.Auth, spaces []Space) []string {
	var owners []string
	for _, s := range spaces {
		for _, st := range s.Storages {
			owners = append(owners, st.Provider)
		}
	}
	slices.Sort(owners)
	return caveat.AllowedServiceIDs(auth.Caveats(), caveat.OpWorker, slices.Compact(owners))
}

// supports returns the providers that support the space. The support is
// read-only if all storages of the provider for the space are.
func supports(s Space, providers map[string]ProviderInfo) map[string]supportScope {
	m := map[string]supportScope{}
	for _, st := range s.Storages {
		if _, allowed := providers[st.Provider]; !allowed {
			continue
		}
		before, seen := m[st.Provider]
		m[st.Provider] = supportScope{st.Readonly && (before.Readonly || !seen)}
	}
	return m
}
