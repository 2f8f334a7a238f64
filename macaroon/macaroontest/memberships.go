package macaroontest

import (
	"context"

	"github.com/onezone-go/onezone/caveat"
)

// Everybody implements [macaroon.Memberships] so that every user may use every
// service. Without it a handler with [rest.AsService] rejects all users'
// tokens, because they are valid only for Onezone's worker.
//
//	h := macaroontest.New(t, macaroon.WithMemberships(macaroontest.Everybody{}))
type Everybody struct{}

// InProvider returns true.
func (Everybody) InProvider(context.Context, caveat.Subject, string) (bool, error) { return true, nil }

// InCluster returns true.
func (Everybody) InCluster(context.Context, caveat.Subject, string) (bool, error) { return true, nil }
