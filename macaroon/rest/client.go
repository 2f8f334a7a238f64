package rest

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
)

// Client is who makes a request.
type Client struct {
	// Subject is the user or Oneprovider; [caveat.Nobody] for a client that sent
	// no credentials.
	Subject caveat.Subject
	// Token is what the client's token proves; nil for clients that came with
	// other credentials or none.
	Token *macaroon.Auth
	// PeerIP is the address of the client; invalid where it is not known.
	PeerIP netip.Addr

	method macaroon.AuthMethod
}

// IsNobody reports whether the client sent no credentials.
func (c Client) IsNobody() bool {
	return c.Subject.Type != caveat.SubjectUser && c.Subject.Type != caveat.SubjectProvider
}

// Authorize reports whether the caveats of the client's token allow the
// operation; clients who came with other credentials have no caveats, and nobody
// is allowed anything. See [caveat.Authorize] for the errors, and unauthorized
// without details for nobody.
func (c Client) Authorize(service caveat.ServiceType, operation caveat.Operation, gri caveat.GRI) error {
	return c.decide(func(token *macaroon.Auth) error { return token.Authorize(service, operation, gri) })
}

// CheckFile reports whether the caveats of the client's token allow the access
// to the file, as Authorize does for operations. See [caveat.CheckFile] for the
// errors.
func (c Client) CheckFile(file caveat.File, access caveat.Access) error {
	return c.decide(func(token *macaroon.Auth) error { return token.CheckFile(file, access) })
}

// CheckKind decides the caveats of a kind that the option [CheckLater] left to
// the handler. What the kind needs to know, besides the address of the client,
// is in ctx. Clients who came with other credentials than a token have no
// caveats. See [caveat.List.CheckKind] for the errors, and unauthorized without
// details for nobody.
func (c Client) CheckKind(ctx context.Context, kind caveat.Type) error {
	return c.decide(func(token *macaroon.Auth) error { return token.CheckKind(ctx, kind, caveat.Request{IP: c.PeerIP}) })
}

// decide has the caveats of the client's token decide, where it has one. Nobody is
// refused.
func (c Client) decide(byToken func(*macaroon.Auth) error) error {
	switch {
	case c.IsNobody():
		return errors.Unauthorized(nil)
	case c.Token == nil:
		return nil
	}
	return byToken(c.Token)
}

type clientKey struct{}

// authenticated is what [Authenticate] leaves in the context of a request.
type authenticated struct {
	Client
	config *config
}

// ClientFrom returns the client of a request that came through [Authenticate]; ok
// is false where it did not.
func ClientFrom(ctx context.Context) (c Client, ok bool) {
	a, ok := ctx.Value(clientKey{}).(authenticated)
	return a.Client, ok
}

// Authenticate returns middleware that finds out who makes a request. It lets
// requests without credentials through, as [caveat.Nobody]: put [RequireClient]
// behind it, or [Require] before each handler, to refuse them.
//
// The credentials are those of the headers X-Auth-Token, Authorization (Bearer or
// Basic), Macaroon, X-Onedata-Service-Token and X-Onedata-Consumer-Token. Bad ones
// are answered with 401 unauthorized {authError}, a password that a page of
// another site sent with 403 forbidden, and clients whose log-ins keep failing with 429 (see
// [macaroon.WithThrottle]).
//
// The context of the request has a [macaroon.Actor] for the calls of the authority
// that the handler makes: who the client is, its address, and the id of the
// request. That id is X-Request-Id of the request if it has at most 64 letters,
// digits, dots, dashes and underscores, else a new one; the answer has it, too.
//
// Answers get Cache-Control: no-store, because they depend on who asks. A handler
// whose answers do not may set another value.
//
// Data caveats are refused unless the option [AllowDataCaveats] says that the
// handler enforces them. Caveats of the application ([macaroon.WithVocabulary])
// are decided here, with what the context of the request holds: the middleware
// that puts it there goes in front of Authenticate. For a kind that only the
// handler can decide there is [CheckLater].
func Authenticate(a *macaroon.Authority, options ...Option) func(http.Handler) http.Handler {
	c := newConfig(forMiddleware, a, options)
	c.origins = slices.DeleteFunc(slices.Clone(c.origins), func(o string) bool { return ValidateOrigin(o) != nil })
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-store")
			r = c.begin(w, r)
			client, slot, err := c.admit(r)
			defer slot.leave()
			if err != nil {
				c.fail(w, r, err)
				return
			}
			r = c.authenticated(r, client)
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), clientKey{}, authenticated{client, c})))
		})
	}
}

// RequireClient returns middleware, to go behind [Authenticate], that refuses
// requests without credentials: 401 unauthorized without details. It is for a whole
// mux, so that a route without [Require] is not open to everybody; what the caveats
// of a token allow there is still for Require, or the handler, to decide. Without
// Authenticate in front it refuses everybody.
func RequireClient() func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if client, _ := ClientFrom(r.Context()); client.IsNobody() {
				WriteError(w, errors.Unauthorized(nil))
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// Require returns middleware, to go behind [Authenticate], that lets a request
// through when the client has sent credentials and the caveats of its token allow
// the operation on the resource at the service. The resource is a GRI, in whose
// id and aspect {name} stands for the path value of that name:
// "file.{id}.content:private". Where an api caveat asks, a value that no GRI can
// name, for its dots for instance, is under its wildcards and under nothing else;
// a name that the pattern of the route does not have stands for the empty value.
// It panics for a text that is no GRI, and for a service or operation that is none
// of the constants. Without Authenticate in front it refuses everybody.
//
// Others are answered with 401: unauthorized without details for a client
// without credentials, unauthorized {tokenCaveatUnverified} for a token that is
// good for other things. Whether the client may do it is for the handler to
// decide.
func Require(service caveat.ServiceType, operation caveat.Operation, gri string) func(http.Handler) http.Handler {
	_, err := resource(gri, func(string) string { return "x" })
	switch {
	case err != nil || strings.Count(gri, "{") != strings.Count(gri, "}"):
		panic(fmt.Sprintf("rest: Require: %q is no GRI", gri))
	case service.Short() == "":
		panic("rest: Require: the service is none of the constants")
	case operation < caveat.Create || operation > caveat.Delete:
		panic("rest: Require: the operation is none of the constants")
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := permit(r, service, operation, gri); err != nil {
				WriteError(w, err)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

func permit(r *http.Request, service caveat.ServiceType, operation caveat.Operation, gri string) error {
	a, ok := r.Context().Value(clientKey{}).(authenticated)
	g, err := resource(gri, r.PathValue)
	if err != nil {
		return err
	}
	if err = a.Authorize(service, operation, g); !ok {
		return err
	}
	return a.config.forbidden(r, err)
}
