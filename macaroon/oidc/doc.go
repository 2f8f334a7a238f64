// Package oidc logs users in with the access tokens of an OpenID Connect
// provider, and in a browser with its log-in.
//
// [New] returns a [Provider], a
// [github.com/onezone-go/onezone/macaroon/rest.IdentityProvider] for
// rest.WithIdentityProvider. A client sends "egi:" and its access token in
// X-Auth-Token, where "egi:" is [Options.Prefix], and acts as the user of the
// token, without caveats. The user is created at the first log-in.
//
// A JWT is verified with the keys of the issuer: signature, issuer, audience,
// times and type. ID tokens, refresh tokens, tokens that are bound to a key of the
// client, and every algorithm with a shared key or without a signature are
// refused. Other tokens, which say nothing about the services that they are for,
// are shown to the userinfo endpoint of the issuer, and only if
// [Options.AnyAudience] is set.
//
// [Provider.LogIn] returns a handler for browsers: it runs the authorization code
// flow, and hands a log-in token to the page of package page.
//
// A failure of the issuer is an operational error and never a verdict on a token.
// Neither errors nor logs contain any part of a token.
package oidc
