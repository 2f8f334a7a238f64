package grpcauth

import (
	"context"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/operational"
	"github.com/onezone-go/onezone/internal/outgoing"
	"github.com/onezone-go/onezone/macaroon"
)

// DefaultLifetime is the default lifetime of the copies that a client sends.
const DefaultLifetime = time.Minute

// perRPC confines a token for each call.
type perRPC struct {
	source     func(context.Context) (macaroon.Token, error)
	lifetime   time.Duration
	caveats    []caveat.Caveat
	caveatsFor []func(ctx context.Context, method string) ([]caveat.Caveat, error)
	local      bool
	now        func() time.Time
}

// NewCredentials returns credentials that send a copy of the source's token with
// each call, in the metadata authorization. The sources of package remote read
// it from a file or the environment. Goroutines call the source concurrently,
// and its errors must not contain the token.
//
// The connection must be secure: a call over another one fails. The statuses of
// such failures have no error of the catalogue ([ErrorFrom]).
//
// Errors: badData {key "source"} for nil, and those of the options.
func NewCredentials(source func(context.Context) (macaroon.Token, error), options ...CredentialOption) (credentials.PerRPCCredentials, error) {
	if source == nil {
		return nil, errors.BadDataHint("source", "credentials need a source of tokens")
	}
	p := &perRPC{source: source, lifetime: DefaultLifetime, now: time.Now}
	for _, option := range options {
		if err := option(p); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// RequireTransportSecurity implements [credentials.PerRPCCredentials].
func (p *perRPC) RequireTransportSecurity() bool { return !p.local }

// GetRequestMetadata implements [credentials.PerRPCCredentials].
func (p *perRPC) GetRequestMetadata(ctx context.Context, uris ...string) (map[string]string, error) {
	info, _ := credentials.RequestInfoFromContext(ctx)
	if !p.mayUse(info.AuthInfo, uris) {
		return nil, status.Error(codes.Internal, "a token must not be sent over a connection that is not secure; use TLS")
	}
	token, err := p.source(ctx)
	switch {
	case ctx.Err() != nil:
		return nil, status.FromContextError(ctx.Err()).Err()
	case err != nil:
		return nil, status.Error(codes.Unavailable, operational.Error("get the token to send", err).Error())
	}
	cs := append([]caveat.Caveat{caveat.Until(p.now().Add(p.lifetime))}, p.caveats...)
	for _, caveatsFor := range p.caveatsFor {
		more, err := caveatsFor(ctx, info.Method)
		if err != nil {
			return nil, status.Error(codes.Internal, operational.Error("confine the token to the call", err).Error())
		}
		cs = append(cs, more...)
	}
	text, err := outgoing.Text(token, cs...)
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return map[string]string{keyAuthorization: bearerScheme + text}, nil
}

// mayUse reports whether a token may be sent over a connection to the services
// with these URIs.
func (p *perRPC) mayUse(connection credentials.AuthInfo, uris []string) bool {
	const local = "local" // of google.golang.org/grpc/credentials/local
	switch {
	case connection == nil:
		return false
	case p.local && connection.AuthType() == local && !slices.ContainsFunc(uris, isElsewhere):
		return true
	}
	return credentials.CheckSecurityLevel(connection, credentials.PrivacyAndIntegrity) == nil
}

// isElsewhere reports whether the host of a service is not this machine. A local
// connection may be that of a tunnel or proxy.
func isElsewhere(uri string) bool {
	u, err := url.Parse(uri)
	if err != nil {
		return true
	}
	addr, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() != "localhost" && (err != nil || !addr.Unmap().IsLoopback())
}

// CredentialOption changes a default of [NewCredentials].
type CredentialOption func(*perRPC) error

// WithLifetime sets how long a copy of the token is valid. It should cover the
// way to the server and the difference of the clocks. Seconds count whole.
// Default: [DefaultLifetime]. The error is badValueTooLow for less than a
// second.
func WithLifetime(lifetime time.Duration) CredentialOption {
	return func(p *perRPC) error {
		if lifetime < time.Second {
			return errors.BadValueTooLow("lifetime", 1)
		}
		p.lifetime = lifetime
		return nil
	}
}

// WithCaveats adds caveats to every copy, such as the address of this client
// ([caveat.IP]) or the services that it calls ([caveat.Services]). The type of
// the token must support them. The error is badValueCaveat for a caveat that no
// token may carry.
func WithCaveats(cs ...caveat.Caveat) CredentialOption {
	return func(p *perRPC) error {
		for _, c := range cs {
			if err := caveat.Validate(c); err != nil {
				return err
			}
		}
		p.caveats = append(p.caveats, slices.Clone(cs)...)
		return nil
	}
}

// WithCaveatsFor adds caveats that depend on the method, by its full name. An
// example is [caveat.DataReadonly] for methods that only read. Goroutines call
// the function concurrently. If it returns an error, the call fails.
func WithCaveatsFor(caveatsFor func(ctx context.Context, method string) ([]caveat.Caveat, error)) CredentialOption {
	return func(p *perRPC) error {
		if caveatsFor == nil {
			return errors.BadDataHint("caveatsFor", "expected a function")
		}
		p.caveatsFor = append(p.caveatsFor, caveatsFor)
		return nil
	}
}

// AllowLocal also sends tokens over connections to this machine without TLS:
// those of google.golang.org/grpc/credentials/local, which connects only to
// loopback addresses and Unix sockets. The authority of a call over a loopback
// address must be one or localhost, because a tunnel or proxy on this machine
// may lead to another one. Connections without credentials stay refused.
func AllowLocal() CredentialOption {
	return func(p *perRPC) error {
		p.local = true
		return nil
	}
}

// WithClock sets the clock from which the lifetime of a copy is counted.
// Default: [time.Now].
func WithClock(now func() time.Time) CredentialOption {
	return func(p *perRPC) error {
		if now == nil {
			return errors.BadDataHint("now", "expected a clock")
		}
		p.now = now
		return nil
	}
}
