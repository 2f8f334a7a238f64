package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"github.com/spf13/pflag"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/oidc"
)

// oidcSettings are the settings of the identity provider.
type oidcSettings struct {
	issuer, prefix string
	audiences      []string
	anyAudience    bool
	groupsClaim    string
	groups         []string
	usernameClaim  string
	maxUsers       int
}

func (o *oidcSettings) flags(f *pflag.FlagSet) {
	o.maxUsers = oidc.DefaultMaxUsers
	f.StringVar(&o.issuer, "oidc-issuer", "", "`URL` of an OpenID Connect issuer, whose access tokens log its users in; see \"onezone help identity-provider\"")
	f.StringVar(&o.prefix, "oidc-prefix", "", "`PREFIX` of the issuer's tokens in X-Auth-Token: egi:")
	f.Var(repeated(&o.audiences), "oidc-audience", "`NAME` of this service at the issuer, which a token must be for; may be repeated")
	toggle(f, &o.anyAudience, "oidc-any-audience", "accept also tokens for other services, which can then act as the user")
	f.StringVar(&o.groupsClaim, "oidc-groups-claim", "", "`CLAIM` that lists the groups of a user: groups")
	f.Var(repeated(&o.groups), "oidc-allowed-group", "`GROUP` whose members may log in; may be repeated; all users of the issuer without it")
	f.StringVar(&o.usernameClaim, "oidc-username-claim", "", "`CLAIM` with the user name of a new user: preferred_username; none without it")
	f.Var(count(&o.maxUsers, 0), "oidc-max-users", "number of users, `N`, from which on log-ins create no more")
}

func (o oidcSettings) options(log *slog.Logger) oidc.Options {
	options := oidc.Options{
		Issuer: o.issuer, Prefix: o.prefix, Audiences: o.audiences, AnyAudience: o.anyAudience,
		GroupsClaim: o.groupsClaim, AllowedGroups: o.groups, UsernameClaim: o.usernameClaim,
		MaxUsers: o.maxUsers, Logger: log,
	}
	if o.maxUsers == 0 {
		options.MaxUsers = -1
	}
	return options
}

// inFlags puts flags into errors that name options.
var inFlags = strings.NewReplacer("configuring an identity provider: ", "", "the option ", "",
	"Issuer", "--oidc-issuer", "Prefix", "--oidc-prefix", "AnyAudience", "--oidc-any-audience", "Audiences", "--oidc-audience",
	"GroupsClaim", "--oidc-groups-claim", "AllowedGroups", "--oidc-allowed-group")

func (o oidcSettings) check() error {
	if o.issuer == "" {
		none := o.prefix == "" && !o.anyAudience && o.groupsClaim == "" && o.usernameClaim == "" && len(o.audiences)+len(o.groups) == 0
		return failUnless(none, "--oidc-issuer is missing, which the other --oidc flags are about")
	}
	if _, err := oidc.New(nil, o.options(nil)); err != nil {
		return usageErrorf("%w", errors.New(inFlags.Replace(err.Error())))
	}
	return nil
}

// newProvider returns the identity provider, nil if there is none. If the issuer
// does not answer, the provider logs that, and log-ins retry.
func (s settings) newProvider(ctx context.Context, a *macaroon.Authority, log *slog.Logger) (*oidc.Provider, error) {
	if s.oidc.issuer == "" {
		return nil, nil
	}
	p, err := oidc.New(a, s.oidc.options(log))
	if err == nil {
		_ = p.Check(ctx)
	}
	return p, err
}
