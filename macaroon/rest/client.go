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
	"github.com/onezone-go/onezone/internal/gripattern"
	"github.com/onezone-go/onezone/macaroon"
)

// Client is the client that makes a request.
type Client struct {
	// Subject is the user or Oneprovider; [caveat.Nobody] for a client that
	// sent no credentials.
	Subject caveat.Subject
	// Token is the verified token of the client; nil for clients with other
	// credentials or none.
	Token *macaroon.Auth
	// PeerIP is the address of the client; invalid if it is unknown.
	PeerIP netip.Addr

	method macaroon.AuthMethod
}

// IsNobody reports whether the client sent no credentials.
func (c Client) IsNobody() bool {
	return c.Subject.Type != caveat.SubjectUser && c.Subject.Type != caveat.SubjectProvider
}

// Authorize returns an error unless the caveats of the client's token allow the
// operation. Clients with other credentials have no caveats. The error is that
// of [caveat.Authorize], and unauthorized without details for a client without
// credentials.
func (c Client) Authorize(service caveat.ServiceType, operation caveat.Operation, gri caveat.GRI) error {
	return c.decide(func(token *macaroon.Auth) error { return token.Authorize(service, operation, gri) })
}

// CheckFile returns an error unless the caveats of the client's token allow the
// access to the file. Clients with other credentials have no caveats. The error
// is that of [caveat.CheckFile], and unauthorized without details for a client
// without credentials.
func (c Client) CheckFile(file caveat.File, access caveat.Access) error {
	return c.decide(func(token *macaroon.Auth) error { return token.CheckFile(file, access) })
}

// CheckKind decides the caveats of a kind that the option [CheckLater] leaves
// to the handler. The input of the kind, besides the address of the client, is
// in ctx. Clients with other credentials than a token have no caveats. The
// error is that of [caveat.List.CheckKind], and unauthorized without details
// for a client without credentials.
func (c Client) CheckKind(ctx context.Context, kind caveat.Type) error {
	return c.decide(func(token *macaroon.Auth) error { return token.CheckKind(ctx, kind, caveat.Request{IP: c.PeerIP}) })
}

// decide calls byToken if the client has a token, and refuses clients without
// credentials.
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

// authenticated is the value that [Authenticate] adds to the context of a
// request.
type authenticated struct {
	Client
	config *config
}

// ClientFrom returns the client of a request that passed [Authenticate]; ok is
// false for other requests.
func ClientFrom(ctx context.Context) (c Client, ok bool) {
	a, ok := ctx.Value(clientKey{}).(authenticated)
	return a.Client, ok
}

// AccessToken returns the token with which the client of a request that passed
// [Authenticate] has authenticated, to confine a copy for the same client. It
// has the text that the client sent, without the service indication of a
// Oneprovider. ok is false for clients with other credentials or none, and for
// other requests.
func AccessToken(r *http.Request) (t macaroon.Token, ok bool) {
	a, _ := r.Context().Value(clientKey{}).(authenticated)
	if a.Token == nil {
		return macaroon.Token{}, false
	}
	text, _ := accessToken(r.Header)
	t, err := a.config.parse(text)
	return t, err == nil && t.ID() == a.Token.TokenID
}

// Authenticate returns middleware that identifies the client of each request.
// It accepts requests without credentials, as [caveat.Nobody]: put
// [RequireClient] behind it, or [Require] before each handler, to refuse them.
//
// The credentials are those of the headers X-Auth-Token, Authorization (Bearer
// or Basic), Macaroon, X-Onedata-Service-Token and X-Onedata-Consumer-Token.
// The middleware itself answers
//
//   - bad credentials with 401 unauthorized {authError};
//   - a password that a page of another site sent with 403 forbidden;
//   - clients whose log-ins keep failing with 429 (see
//     [macaroon.WithThrottle]).
//
// The context of the request gets a [macaroon.Actor] for the calls that the
// handler makes to the authority: the client, its address, and the id of the
// request. That id is the X-Request-Id of the request if it has at most 64
// letters, digits, dots, dashes and underscores, else a new one. The response
// has it, too.
//
// Responses get Cache-Control: no-store, because they depend on the client. A
// handler may set another value.
//
// Data caveats are refused unless the option [AllowDataCaveats] says that the
// handler enforces them. Caveats of the application ([macaroon.WithVocabulary])
// are decided here, with the context of the request: middleware that adds their
// input to the context must be in front of Authenticate. Kinds that only the
// handler can decide need [CheckLater].
//
// The verifier is an [macaroon.Authority], or the client of another Onezone
// (package remote), which accepts no passwords: basicAuthNotSupported.
// Authenticate panics if it is nil.
func Authenticate(v macaroon.Verifier, options ...Option) func(http.Handler) http.Handler {
	c := newConfig(forMiddleware, v, options)
	c.origins = slices.DeleteFunc(slices.Clone(c.origins), func(o string) bool { return ValidateOrigin(o) != nil })
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Cache-Control"] = noStoreHeader
			r = c.begin(w, r)
			client, slot, err := c.admit(r)
			defer slot.leave()
			if err != nil {
				c.fail(w, r, err)
				return
			}
			ctx := c.authenticated(r.Context(), client)
			*r = *r.WithContext(context.WithValue(ctx, clientKey{}, authenticated{client, c})) // r is the copy of begin
			next.ServeHTTP(w, r)
		})
	}
}

// RequireClient returns middleware, to go behind [Authenticate], that refuses
// requests without credentials: 401 unauthorized without details. It protects a
// whole mux, so that a route without [Require] is not open to everybody. The
// caveats of a token must still be enforced by Require or the handler. Without
// Authenticate in front it refuses every request.
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

// Require returns middleware, to go behind [Authenticate], that enforces the
// caveats of the client's token. It lets a request through if the client has
// sent credentials and the caveats allow the operation on the resource at the
// service.
//
// The resource is a GRI in which {name}, in the id or aspect, is replaced by
// the path value of that name: "file.{id}.content:private". A name that the
// pattern of the route lacks is replaced by the empty value. A value that a GRI
// cannot hold, such as one with dots, matches only the wildcards of an api
// caveat.
//
// Refused requests are answered with 401: unauthorized without details for a
// client without credentials, unauthorized {tokenCaveatUnverified} for a token
// whose caveats do not allow the operation. The handler must still decide
// whether the user has the rights. Without Authenticate in front, Require
// refuses every request. It panics if gri is not a GRI, or if service or
// operation is not one of the constants.
func Require(service caveat.ServiceType, operation caveat.Operation, gri string) func(http.Handler) http.Handler {
	pattern, err := caveat.ParseGRI(gri)
	switch {
	case err != nil || strings.Count(gri, "{") != strings.Count(gri, "}"):
		panic(fmt.Sprintf("rest: Require: %q is not a GRI", gri))
	case service.Short() == "":
		panic("rest: Require: the service must be one of the constants of package caveat")
	case operation < caveat.Create || operation > caveat.Delete:
		panic("rest: Require: the operation must be one of the constants of package caveat")
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := permit(r, service, operation, pattern); err != nil {
				WriteError(w, err)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

func permit(r *http.Request, service caveat.ServiceType, operation caveat.Operation, pattern caveat.GRI) error {
	a, ok := r.Context().Value(clientKey{}).(authenticated)
	err := a.Authorize(service, operation, gripattern.Fill(pattern, r.PathValue))
	if !ok {
		return err
	}
	return a.config.reportForbidden(r, err)
}
