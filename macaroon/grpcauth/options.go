package grpcauth

import (
	"log/slog"
	"net/netip"

	"github.com/onezone-go/onezone/caveat"
)

// Option changes a default of [New].
type Option func(*Interceptor)

// AcceptIdentityTokens makes the server accept identity tokens instead of access
// tokens. An identity token proves who the client is, and gives whoever receives
// it no power at Onezone. It is what a service of a third party should ask its
// users for.
func AcceptIdentityTokens() Option { return func(i *Interceptor) { i.identities = true } }

// AsService sets the service that the server is, for tokens with service
// caveats. Default: Onezone's worker.
func AsService(s caveat.Service) Option { return func(i *Interceptor) { i.service = s } }

// AsInterface sets the interface that the server is, for tokens with interface
// caveats. Default: unknown; tokens with such caveats are then refused.
func AsInterface(iface caveat.Interface) Option { return func(i *Interceptor) { i.iface = iface } }

// WithTrustedProxies sets the networks of proxies whose x-forwarded-for is
// trusted. The address of the client is found as in package rest. Default: the
// address of the connection.
func WithTrustedProxies(networks ...netip.Prefix) Option {
	return func(i *Interceptor) { i.proxies = networks }
}

// WithLogger sets the log for operational errors and panics. Default, and for
// nil: [slog.Default] when [New] is called.
func WithLogger(l *slog.Logger) Option { return func(i *Interceptor) { i.log = l } }
