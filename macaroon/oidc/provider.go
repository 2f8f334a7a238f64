package oidc

import (
	"context"
	"fmt"
	"strings"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/operational"
	"github.com/onezone-go/onezone/macaroon"
)

// maxToken is the maximum length of a token without its prefix, in bytes.
const maxToken = 16 << 10

// Provider verifies the access tokens of one issuer, and maps them to users. Its
// methods may be called concurrently.
type Provider struct {
	options  Options
	name     string // id of the provider in errors
	issuer   *issuer
	userinfo *userinfo
	users    *users
}

// New returns a Provider that keeps its users in the store of the authority. It
// does not contact the issuer: see [Provider.Check]. It returns an error if an
// option is wrong.
func New(authority *macaroon.Authority, o Options) (*Provider, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("configuring an identity provider: %w", err)
	}
	p := &Provider{options: o, name: o.Prefix[:len(o.Prefix)-1]}
	p.issuer = newIssuer(o)
	p.userinfo = newUserinfo(o, p.issuer.client)
	p.users = newUsers(o, authority)
	return p, nil
}

// Name returns the id of the provider in errors and in rest.Configuration: the
// prefix without its last character.
func (p *Provider) Name() string { return p.name }

// Check asks the issuer for its discovery document and keys, unless they are
// known. Services should call it when they start, and log the error, which says
// what is wrong with the issuer or its URL; log-ins retry.
func (p *Provider) Check(ctx context.Context) error {
	if _, err := p.issuer.current(ctx); err != nil {
		return fmt.Errorf("asking the identity provider %s: %w", p.name, err)
	}
	return nil
}

// Identify returns the user of an access token with its prefix, and creates the
// user at the first log-in.
//
// Errors:
//   - badToken if the token does not begin with the prefix;
//   - badIdpAccessToken {idp} if the token is not valid, is not for this service,
//     or the user is in none of the allowed groups;
//   - userBlocked if the user is blocked, which the issuer has no influence on.
//
// All other errors are operational.
func (p *Provider) Identify(ctx context.Context, token string) (caveat.Subject, error) {
	text, ok := strings.CutPrefix(token, p.options.Prefix)
	if !ok {
		return caveat.Subject{}, errors.BadToken("")
	}
	ctx, cancel := context.WithTimeout(ctx, p.options.Timeout)
	defer cancel()
	user, err := p.identify(ctx, text)
	if reason, ok := errors.AsType[refusal](err); ok {
		p.options.Logger.DebugContext(ctx, "an access token was refused", "idp", p.name, "reason", string(reason))
		return caveat.Subject{}, errors.BadIdpAccessToken(p.name)
	}
	if errors.Is(err, errBlocked) {
		return caveat.Subject{}, errors.UserBlocked()
	}
	if err != nil {
		return caveat.Subject{}, operational.Error("logging in with an access token of the identity provider "+p.name, err)
	}
	return user, nil
}

// refusal is the reason why a token is not accepted. It contains no part of the
// token.
type refusal string

// Error implements error.
func (r refusal) Error() string { return string(r) }

func (p *Provider) identify(ctx context.Context, text string) (caveat.Subject, error) {
	who, err := p.verify(ctx, text)
	if err != nil {
		return caveat.Subject{}, err
	}
	return p.admit(ctx, who, func() (identity, error) { return p.complete(ctx, text, who) })
}

// errNotAllowed is the error for a user whom the options do not allow to log in.
const errNotAllowed = refusal("the user is in none of the allowed groups")

// admit returns the user of the identity if the options allow the user to log in.
// more says more about the user.
func (p *Provider) admit(ctx context.Context, who identity, more func() (identity, error)) (caveat.Subject, error) {
	if len(p.options.AllowedGroups) > 0 {
		if !who.hasGroups {
			var err error
			if who, err = more(); err != nil {
				return caveat.Subject{}, err
			}
		}
		if !who.allowed {
			return caveat.Subject{}, errNotAllowed
		}
	}
	return p.users.find(ctx, who, more)
}

// verify returns what a token without its prefix says about its user.
func (p *Provider) verify(ctx context.Context, text string) (identity, error) {
	switch {
	case len(text) > maxToken || !isBearer(text):
		return identity{}, refusal("the token is too long, or has characters that no access token has")
	case isJWT(text):
		return p.verifyJWT(ctx, text)
	case !p.options.AnyAudience:
		return identity{}, refusal("the token is not a JWT, and an audience is required")
	}
	m, err := p.issuer.current(ctx)
	if err != nil {
		return identity{}, err
	}
	return p.userinfo.ask(ctx, m.userinfo, text)
}

// complete adds the claims of the userinfo endpoint that the token lacks. It
// adds nothing if the issuer has no endpoint, or if the endpoint refuses the
// token, because not every access token is for it.
func (p *Provider) complete(ctx context.Context, text string, who identity) (identity, error) {
	if p.options.saysAll(who) {
		return who, nil
	}
	m, err := p.issuer.current(ctx)
	if err != nil || m.userinfo == "" {
		return who, err
	}
	said, err := p.userinfo.ask(ctx, m.userinfo, text)
	if _, refused := errors.AsType[refusal](err); refused {
		return who, nil
	}
	if err == nil && said.subject != who.subject {
		err = refusal("the userinfo endpoint names another user than the token")
	}
	return who.or(said), err
}

// isBearer reports whether the text has the form of an access token: RFC 6750,
// section 2.1. Decoders of base64 ignore line feeds.
func isBearer(text string) bool {
	text = strings.TrimRight(text, "=")
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && !strings.ContainsRune("-._~+/", r)
	})
}
