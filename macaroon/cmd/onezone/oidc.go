package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
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

	// of log-ins on the page
	clientID, redirectURL string
	clientSecret          string // file
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
	f.StringVar(&o.clientID, "oidc-client-id", "", "`ID` of this service at the issuer, for log-ins on the page; none without it")
	f.StringVar(&o.clientSecret, "oidc-client-secret-file", "", "`FILE` with the secret of --oidc-client-id; a public client has none")
	f.StringVar(&o.redirectURL, "oidc-redirect-url", "", "`URL` of the page with page/idp/callback, as registered at the issuer; by default below --origin")
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
	"GroupsClaim", "--oidc-groups-claim", "AllowedGroups", "--oidc-allowed-group",
	"configuring log-ins at an identity provider: ", "", "ClientID", "--oidc-client-id", "RedirectURL", "--oidc-redirect-url")

func (o oidcSettings) check() error {
	if o.issuer == "" {
		none := o.prefix == "" && !o.anyAudience && o.groupsClaim == "" && o.usernameClaim == "" && len(o.audiences)+len(o.groups) == 0 && o.clientID == ""
		return failUnless(none, "--oidc-issuer is missing, which the other --oidc flags are about")
	}
	provider, err := oidc.New(nil, o.options(nil))
	if err == nil && o.redirectURL != "" {
		_, err = provider.LogIn(oidc.LogInOptions{ClientID: o.clientID, RedirectURL: o.redirectURL})
	}
	if err != nil {
		return usageErrorf("%w", errors.New(inFlags.Replace(err.Error())))
	}
	return failUnless(o.clientID != "" || o.clientSecret == "", "--oidc-client-secret-file needs --oidc-client-id")
}

// newLogIn returns the handler of log-ins on the page, nil if there is none.
func (o oidcSettings) newLogIn(p *oidc.Provider, origin string) (http.Handler, error) {
	if p == nil || o.clientID == "" {
		return nil, nil
	}
	options := oidc.LogInOptions{ClientID: o.clientID, RedirectURL: cmp.Or(o.redirectURL, origin+"/"+oidc.CallbackPath)}
	if o.clientSecret != "" {
		secret, err := os.ReadFile(o.clientSecret)
		if err != nil {
			return nil, fmt.Errorf("--oidc-client-secret-file: %w", err)
		}
		options.ClientSecret = strings.TrimSpace(string(secret))
	}
	return p.LogIn(options)
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
