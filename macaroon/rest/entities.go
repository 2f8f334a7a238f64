package rest

import (
	"context"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
)

// Rights decides what a client may do to the tokens of others. Errors of the
// catalogue are answered unchanged, all others as 503 serviceUnavailable.
type Rights interface {
	macaroon.Memberships
	// ManagesTokens reports whether the user has the effective admin privilege
	// oz_tokens_manage.
	ManagesTokens(ctx context.Context, user caveat.Subject) (bool, error)
	// UpdatesCluster reports whether the user has the effective privilege
	// cluster_update in the cluster.
	UpdatesCluster(ctx context.Context, user caveat.Subject, cluster string) (bool, error)
}

// IdentityProvider verifies access tokens of external identity providers.
// Package github.com/onezone-go/onezone/macaroon/oidc has one for OpenID Connect.
type IdentityProvider interface {
	// Identify returns the user of the token, a text that is not an Onezone
	// token. Errors: badToken if no known provider issued the token,
	// badIdpAccessToken {idp}, userBlocked. All other errors are answered as
	// internalServerError. The response is 401 unauthorized around the error.
	Identify(ctx context.Context, token string) (caveat.Subject, error)
}

// DataScopes reports where the data of users is. Its errors are answered like
// those of [Rights].
type DataScopes interface {
	// Spaces returns the effective spaces of the user.
	Spaces(ctx context.Context, user caveat.Subject) ([]Space, error)
	// Provider describes a Oneprovider that supports a space.
	Provider(ctx context.Context, id string) (ProviderInfo, error)
}

// Space is a space and the storages that support it.
type Space struct {
	ID       string
	Name     string
	Storages []Storage
}

// Storage is one storage of a Oneprovider.
type Storage struct {
	Provider string // id of the Oneprovider
	Readonly bool
}

// ProviderInfo describes a Oneprovider, in the JSON form of the API.
type ProviderInfo struct {
	Name    string `json:"name"`
	Domain  string `json:"domain"`
	Version string `json:"version"`
	Online  bool   `json:"online"`
}
