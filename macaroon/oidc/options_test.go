package oidc_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/oidc"
	"github.com/onezone-go/onezone/store/memory"
)

func TestNewRefuses(t *testing.T) {
	authority, err := macaroon.NewAuthority(memory.New())
	require.NoError(t, err)
	for name, c := range map[string]struct {
		change func(*oidc.Options)
		want   string
	}{
		"no issuer":             {func(o *oidc.Options) { o.Issuer = "" }, "the option Issuer: "},
		"issuer without scheme": {func(o *oidc.Options) { o.Issuer = "login.example.org" }, "is not a URL"},
		"issuer without TLS":    {func(o *oidc.Options) { o.Issuer = "http://login.example.org" }, "must begin with https://"},
		"issuer with a user":    {func(o *oidc.Options) { o.Issuer = "https://a:b@login.example.org" }, "is not a URL"},
		"another scheme":        {func(o *oidc.Options) { o.Issuer = "ftp://127.0.0.1" }, "must begin with https://"},
		"no prefix":             {func(o *oidc.Options) { o.Prefix = "" }, `is not a prefix such as "egi:"`},
		"no name in the prefix": {func(o *oidc.Options) { o.Prefix = ":" }, `is not a prefix such as "egi:"`},
		"prefix with a space":   {func(o *oidc.Options) { o.Prefix = "e gi:" }, "is not a prefix"},
		"prefix like a token":   {func(o *oidc.Options) { o.Prefix = "egi" }, "ends in a character that tokens contain"},
		"prefix of a service":   {func(o *oidc.Options) { o.Prefix = "opw-" }, "ends in a character that tokens contain"},
		"no audience":           {func(o *oidc.Options) { o.Audiences = nil }, "the option Audiences must have the name of this service"},
		"an empty audience":     {func(o *oidc.Options) { o.Audiences = []string{"a", ""} }, "has an empty audience"},
		"two rules":             {func(o *oidc.Options) { o.AnyAudience = true }, "cannot be set together with Audiences"},
		"groups without claim":  {func(o *oidc.Options) { o.AllowedGroups = []string{"a"} }, "the option GroupsClaim must be given together"},
		"claim without groups":  {func(o *oidc.Options) { o.GroupsClaim = "groups" }, "the option GroupsClaim must be given together"},
		"an empty group":        {func(o *oidc.Options) { o.GroupsClaim, o.AllowedGroups = "g", []string{""} }, "has an empty group"},
		"negative timeout":      {func(o *oidc.Options) { o.Timeout = -1 }, "the option Timeout must not be negative"},
	} {
		t.Run(name, func(t *testing.T) {
			o := oidc.Options{Issuer: "https://login.example.org", Prefix: "egi:", Audiences: []string{"a"}}
			c.change(&o)
			p, err := oidc.New(authority, o)
			require.ErrorContains(t, err, c.want)
			require.Nil(t, p)
		})
	}
	for _, issuer := range []string{"https://login.example.org/realms/a", "http://127.0.0.1:8080", "http://[::1]", "http://localhost:80"} {
		_, err := oidc.New(authority, oidc.Options{Issuer: issuer, Prefix: "egi:", AnyAudience: true})
		require.NoError(t, err)
	}
}
