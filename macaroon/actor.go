package macaroon

import (
	"context"
	"net/netip"
	"strings"

	"github.com/onezone-go/onezone/caveat"
)

// AuthMethod is how a client authenticated.
type AuthMethod string

// The authentication methods. The zero value "" means not authenticated.
const (
	ByToken            AuthMethod = "token"    // an access token
	ByPassword         AuthMethod = "password" // user name and password
	ByIdentityProvider AuthMethod = "idp"      // an access token of an identity provider
	ByCommand          AuthMethod = "command"  // an administration command on the local machine
)

// Actor describes the client on whose behalf the authority is called. Events
// record it, and log-ins are throttled by its address. Put it into the context
// with [WithActor]; package rest does so for each request.
type Actor struct {
	Subject   caveat.Subject // zero or [caveat.Nobody] for clients that have not authenticated
	Method    AuthMethod
	TokenID   string     // id of the access token it authenticated with; "" for other methods
	Address   netip.Addr // IP address of the client; invalid if unknown
	RequestID string     // id of the client's request; "" if it has none
}

type actorKey struct{}

// WithActor returns a context for calling the authority on behalf of the actor.
func WithActor(ctx context.Context, a Actor) context.Context {
	// Clones, so that a log that keeps the actor does not keep the whole token
	// text in memory.
	a.TokenID, a.Subject.ID = strings.Clone(a.TokenID), strings.Clone(a.Subject.ID)
	return context.WithValue(ctx, actorKey{}, a)
}

// ActorFrom returns the actor in the context, or the zero Actor.
func ActorFrom(ctx context.Context) Actor {
	a, _ := ctx.Value(actorKey{}).(Actor)
	return a
}
