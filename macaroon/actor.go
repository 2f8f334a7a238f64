package macaroon

import (
	"context"
	"net/netip"
	"strings"

	"github.com/onezone-go/onezone/caveat"
)

// AuthMethod is how a client proved who it is.
type AuthMethod string

// The ways to authenticate; "" for clients that have not.
const (
	ByToken            AuthMethod = "token"    // an access token
	ByPassword         AuthMethod = "password" // user name and password
	ByIdentityProvider AuthMethod = "idp"      // an access token of an identity provider
	ByCommand          AuthMethod = "command"  // an administration command on the machine
)

// Actor is the client for which the authority is called. Events name it, and
// log-ins are throttled by its address. Put it into the context with
// [WithActor]; package rest does so for each request.
type Actor struct {
	Subject   caveat.Subject // zero or [caveat.Nobody] for clients that did not authenticate, or not yet
	Method    AuthMethod
	TokenID   string     // of the access token that it authenticated with; "" for other methods
	Address   netip.Addr // where the client is; invalid if that is not known
	RequestID string     // of the request that the client made; "" if it has none
}

type actorKey struct{}

// WithActor returns a context for calls of the authority on behalf of the actor.
func WithActor(ctx context.Context, a Actor) context.Context {
	// Parts of a token must not keep it in memory along with a log.
	a.TokenID, a.Subject.ID = strings.Clone(a.TokenID), strings.Clone(a.Subject.ID)
	return context.WithValue(ctx, actorKey{}, a)
}

// ActorFrom returns the actor of the context, or the zero Actor.
func ActorFrom(ctx context.Context) Actor {
	a, _ := ctx.Value(actorKey{}).(Actor)
	return a
}
