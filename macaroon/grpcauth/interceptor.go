package grpcauth

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"

	// The interceptors of this package are gRPC's.
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// Interceptor authenticates the calls of a server. It is safe for concurrent
// use.
type Interceptor struct {
	verifier   macaroon.Verifier
	rules      Rules
	identities bool
	service    caveat.Service
	iface      caveat.Interface
	proxies    []netip.Prefix
	log        *slog.Logger
}

// New returns an interceptor that verifies the tokens of clients and enforces
// the rules.
//
// Errors: badData {key "verifier"} for nil, badData {key "rules"} without
// rules, for a key that is not the name of a method and for the zero Rule, and
// those of [Require].
func New(v macaroon.Verifier, rules Rules, options ...Option) (*Interceptor, error) {
	authority, local := v.(*macaroon.Authority)
	switch {
	case v == nil || local && authority == nil:
		return nil, errors.BadDataHint("verifier", "expected an authority, or the client of an Onezone")
	case len(rules) == 0:
		return nil, errors.BadDataHint("rules", "list the methods that clients may call")
	}
	rules, err := rules.clone()
	if err != nil {
		return nil, err
	}
	i := &Interceptor{verifier: v, rules: rules}
	for _, option := range options {
		option(i)
	}
	if i.log == nil {
		i.log = slog.Default()
	}
	return i, nil
}

// Unary is a [grpc.UnaryServerInterceptor].
func (i *Interceptor) Unary(ctx context.Context, message any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (answer any, err error) {
	defer i.recoverPanic(ctx, info.FullMethod, &err)
	c, err := i.admit(ctx, info.FullMethod)
	if err != nil {
		return nil, i.refuse(ctx, c, err)
	}
	if err := i.authorize(ctx, c, message); err != nil {
		return nil, err
	}
	answer, err = handler(c.context(ctx), message)
	return answer, c.handlerStatus(err)
}

// Stream is a [grpc.StreamServerInterceptor].
func (i *Interceptor) Stream(server any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	ctx := ss.Context()
	defer i.recoverPanic(ctx, info.FullMethod, &err)
	c, err := i.admit(ctx, info.FullMethod)
	if err != nil {
		return i.refuse(ctx, c, err)
	}
	if len(c.rule.fields) == 0 {
		if err := i.authorize(ctx, c, nil); err != nil {
			return err
		}
	}
	s := &stream{ServerStream: ss, ctx: c.context(ctx), call: c, interceptor: i}
	err = handler(server, s)
	if refusal := s.refusal.Load(); refusal != nil {
		return *refusal
	}
	return c.handlerStatus(err)
}

// call is a call that the client may make.
type call struct {
	method        string
	rule          Rule
	peer          netip.Addr
	auth          macaroon.Auth
	authenticated bool
}

// admit verifies the token of a call. It returns what it knows about the call
// also with an error. The error is unauthorized for a bad token and for none,
// forbidden for a method without a rule, or operational.
func (i *Interceptor) admit(ctx context.Context, method string) (call, error) {
	c := call{method: method, peer: i.clientAddress(ctx)}
	var listed bool
	if c.rule, listed = i.rules[method]; !listed {
		return c, errors.Forbidden("the server has no rule for this method")
	}
	text, found, err := token(ctx)
	switch {
	case err != nil:
		return c, errors.Unauthorized(err)
	case !found && c.rule.access == anyone:
		return c, nil
	case !found:
		return c, errors.Unauthorized(nil)
	}
	verify := i.verifier.VerifyAccess
	if i.identities {
		verify = i.verifier.VerifyIdentity
	}
	req := caveat.Request{IP: c.peer, Interface: i.iface, Service: i.service, DataAccess: c.rule.dataAccess}
	if i.service.Type == caveat.OpPanel {
		req.Session = caveat.AnySession()
	}
	c.auth, err = verify(macaroon.WithActor(ctx, macaroon.Actor{Address: c.peer}), text, req)
	// Only err itself counts: an operational error may have errors of the
	// catalogue in its chain.
	if e, ok := err.(*errors.Error); ok {
		return c, errors.Unauthorized(e)
	}
	c.authenticated = err == nil
	return c, err
}

// Metadata of calls.
const (
	keyToken         = "x-auth-token"
	keyAuthorization = "authorization"
	keyForwardedFor  = "x-forwarded-for"

	bearerScheme = "Bearer "
)

// token returns the token of a call. The error is badToken for more than one
// token: choosing one would be unsafe, because a proxy may have checked the
// other.
func token(ctx context.Context) (text string, found bool, err error) {
	tokens := metadata.ValueFromIncomingContext(ctx, keyToken)
	authorizations := metadata.ValueFromIncomingContext(ctx, keyAuthorization)
	switch {
	case len(tokens)+len(authorizations) == 0:
		return "", false, nil
	case len(tokens)+len(authorizations) > 1:
		return "", false, errors.BadToken("a call must have one token, in x-auth-token or authorization")
	case len(tokens) == 1:
		return tokens[0], true, nil
	}
	value := authorizations[0]
	if len(value) < len(bearerScheme) || !strings.EqualFold(value[:len(bearerScheme)], bearerScheme) {
		return "", false, errors.BadToken("the scheme of authorization must be Bearer")
	}
	return value[len(bearerScheme):], true, nil
}

// clientAddress returns the address of the client, invalid if it is unknown.
func (i *Interceptor) clientAddress(ctx context.Context) netip.Addr {
	p, ok := peer.FromContext(ctx)
	if !ok || p.Addr == nil {
		return netip.Addr{}
	}
	r := http.Request{RemoteAddr: p.Addr.String()}
	if len(i.proxies) > 0 {
		r.Header = http.Header{http.CanonicalHeaderKey(keyForwardedFor): metadata.ValueFromIncomingContext(ctx, keyForwardedFor)}
	}
	return rest.ClientAddress(&r, i.proxies...)
}

type authKey struct{}

// ClientFrom returns the verified token of the client in the context of a
// handler. ok is false if the client has sent none, or if the call did not pass
// an [Interceptor].
func ClientFrom(ctx context.Context) (client macaroon.Auth, ok bool) {
	client, ok = ctx.Value(authKey{}).(macaroon.Auth)
	return client, ok
}

// context returns the context for the handler. It contains the [macaroon.Actor]
// for the calls that the handler makes to an authority.
func (c call) context(ctx context.Context) context.Context {
	actor := macaroon.Actor{Subject: caveat.Nobody(), Address: c.peer}
	if c.authenticated {
		actor.Subject, actor.Method, actor.TokenID = c.auth.Subject, macaroon.ByToken, c.auth.TokenID
		ctx = context.WithValue(ctx, authKey{}, c.auth)
	}
	return macaroon.WithActor(ctx, actor)
}
