package macaroontest

import (
	"context"

	"github.com/onezone-go/onezone/caveat"
)

// Everybody lets every user use every service. Without it a user's token is good
// for Onezone's worker alone, and a handler with [rest.AsService] refuses it:
//
//	h := macaroontest.New(t, macaroon.WithMemberships(macaroontest.Everybody{}))
type Everybody struct{}

// InProvider reports true.
func (Everybody) InProvider(context.Context, caveat.Subject, string) (bool, error) { return true, nil }

// InCluster reports true.
func (Everybody) InCluster(context.Context, caveat.Subject, string) (bool, error) { return true, nil }
