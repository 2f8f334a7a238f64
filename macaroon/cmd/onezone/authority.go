package main

import (
	// RFC 8265, which the standard library does not have.
	"golang.org/x/text/secure/precis"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

// newAuthority returns the authority of the settings over a store. The service and
// the commands prepare passwords in the same way.
func newAuthority(s settings, front store.Store, observer macaroon.Observer, more ...macaroon.Option) (*macaroon.Authority, error) {
	return macaroon.NewAuthority(front, append([]macaroon.Option{
		macaroon.WithDomain(s.domain),
		macaroon.WithMaxTemporaryTTL(s.maxTemporaryTTL),
		macaroon.WithLeeway(s.leeway),
		macaroon.WithMaxIssuedSize(s.limits.issuedSize()),
		macaroon.WithMaxCaveats(s.maxCaveats),
		macaroon.WithQuotas(s.quotas),
		macaroon.WithThrottle(s.failures, s.failureInterval),
		macaroon.WithPasswordProfile(precis.OpaqueString.String),
		macaroon.WithMemberships(memberships{front}),
		macaroon.WithObserver(observer),
	}, more...)...)
}
