package rest

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"sync"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
)

// config is what options change, for [NewHandler] and [Authenticate] alike.
type config struct {
	purpose    purpose
	unused     []string // options that the purpose has no use for
	authority  *macaroon.Authority
	rights     Rights
	idp        IdentityProvider
	scopes     DataScopes
	sessionOf  func(*http.Request) string
	proxies    []netip.Prefix
	inFlight   *inFlight
	noBasic    bool
	unconfined bool // clients are given tokens without the caveats of their own
	dataAccess bool
	later      []caveat.Type // decided by the handler
	service    caveat.Service
	iface      caveat.Interface
	origin     string
	origins    []string
	zone       Configuration
	log        *slog.Logger
	warned     sync.Once // of a proxy that is not trusted

	actorObserver func(ctx context.Context, a macaroon.Actor)
}

// purpose is the function that a configuration is for.
type purpose string

const (
	forAPI        purpose = "NewHandler"
	forMiddleware purpose = "Authenticate"
)

func newConfig(p purpose, a *macaroon.Authority, options []Option) *config {
	c := &config{
		purpose:   p,
		authority: a,
		iface:     caveat.REST,
		origin:    "https://" + a.Domain(),
		inFlight:  newInFlight(0),
	}
	if p == forAPI {
		c.inFlight = newInFlight(DefaultMaxInFlight)
	}
	for _, option := range options {
		if option != nil {
			option(c)
		}
	}
	if c.log == nil {
		c.log = slog.Default()
	}
	for _, name := range c.unused {
		c.log.Warn("an option has no effect", "package", "rest", "option", name, "function", string(p))
	}
	return c
}

// Option changes a default of [NewHandler] or [Authenticate]. Where an option says
// that it is for one of the two, the other keeps its default and logs a warning.
type Option func(*config)

// only returns an option for one of the purposes.
func only(p purpose, name string, set Option) Option {
	return func(c *config) {
		if c.purpose == p {
			set(c)
		} else {
			c.unused = append(c.unused, name)
		}
	}
}

// WithRights sets who knows what clients may do to others' tokens. It is for
// [NewHandler]. Default: nobody may do anything to them.
func WithRights(r Rights) Option {
	return only(forAPI, "WithRights", func(c *config) { c.rights = r })
}

// WithIdentityProvider sets who judges access tokens that are not Onezone's.
// Default: they are badToken.
func WithIdentityProvider(p IdentityProvider) Option { return func(c *config) { c.idp = p } }

// WithDataScopes sets who knows the spaces of users. It is for [NewHandler].
// Default: users have none.
func WithDataScopes(s DataScopes) Option {
	return only(forAPI, "WithDataScopes", func(c *config) { c.scopes = s })
}

// WithSessionFrom sets how the session that a request is made in is told from the
// request, "" for none: from a cookie, for instance. Default: none.
func WithSessionFrom(sessionOf func(*http.Request) string) Option {
	return func(c *config) { c.sessionOf = sessionOf }
}

// WithTrustedProxies has the address of the client taken from X-Forwarded-For
// where the connection comes from one of the networks: the last address there
// that is not in one of them itself. An address may have a port and brackets; one
// that cannot be read makes the client's unknown. Networks of IPv4-mapped addresses
// are those of the IPv4 addresses. Forwarded (RFC 7239) is never read: a proxy that
// sets one of the two headers passes on what the client wrote in the other.
// Default: both are ignored, and a proxy on this machine is warned of once.
func WithTrustedProxies(networks ...netip.Prefix) Option {
	return func(c *config) { c.proxies = networks }
}

// WithMaxInFlight sets how many requests of one client are served at once. Requests
// of one user or Oneprovider count together, and those without credentials, as long
// as it is not known whose they are, by the address of the client; the 64 bits in
// front of an IPv6 address count as one address. One more is answered with 429
// temporaryFailure and Retry-After. The memory that large bodies and lists take is
// then bounded too, for each client and in all (503 temporaryFailure); requests
// wait for it a few seconds. 0 turns all of this off. Default:
// [DefaultMaxInFlight] for [NewHandler], and 0 for [Authenticate], the handlers
// behind which may take long.
func WithMaxInFlight(n int) Option { return func(c *config) { c.inFlight = newInFlight(n) } }

// WithoutBasicAuth refuses Basic authentication with basicAuthNotSupported.
func WithoutBasicAuth() Option { return func(c *config) { c.noBasic = true } }

// WithoutInheritance gives clients whose token carries caveats what the original
// Onezone gives them: the tokens that they create and read do not carry those
// caveats, so that a client can escape the confinement of its token. It is for
// [NewHandler].
func WithoutInheritance() Option {
	return only(forAPI, "WithoutInheritance", func(c *config) { c.unconfined = true })
}

// AllowDataCaveats has [Authenticate] accept tokens with data.* caveats, which the
// handler behind then has to enforce with [Client.CheckFile]. It is for
// Authenticate: [NewHandler] serves no data.
func AllowDataCaveats() Option {
	return only(forMiddleware, "AllowDataCaveats", func(c *config) { c.dataAccess = true })
}

// CheckLater has [Authenticate] accept tokens with caveats of these kinds of the
// application undecided. The handler behind it then has to decide each kind with
// [Client.CheckKind], once it knows what the request is about. Kinds of the
// Onezone language are decided by Authenticate all the same. It is for
// Authenticate.
func CheckLater(kinds ...caveat.Type) Option {
	return only(forMiddleware, "CheckLater", func(c *config) {
		for _, kind := range kinds {
			if !slices.Contains(caveat.Types(), kind) {
				c.later = append(c.later, kind)
			}
		}
	})
}

// AsService tells which service the handler behind [Authenticate] belongs to:
// what a request that does not carry a service token came to. Users' tokens are
// good for other services than the default only where [macaroon.WithMemberships]
// says that their users may use them, and tokens with service caveats for the
// services that these name. It is for Authenticate. Default: Onezone's worker,
// which [NewHandler] always is.
func AsService(s caveat.Service) Option {
	return only(forMiddleware, "AsService", func(c *config) { c.service = s })
}

// AsInterface tells which interface the handler behind [Authenticate] is. It is for
// Authenticate. Default: [caveat.REST], which [NewHandler] always is.
func AsInterface(i caveat.Interface) Option {
	return only(forMiddleware, "AsInterface", func(c *config) { c.iface = i })
}

// WithOrigin sets where the API is, such as "https://onezone.example.com:8443",
// for Location headers. It is for [NewHandler]. Default: https and the domain of
// the authority.
func WithOrigin(origin string) Option {
	return only(forAPI, "WithOrigin", func(c *config) { c.origin = origin })
}

// WithConfiguration sets what GET /configuration tells of the installation. It is
// for [NewHandler]. Default: nothing but the domain of its tokens.
func WithConfiguration(z Configuration) Option {
	return only(forAPI, "WithConfiguration", func(c *config) { c.zone = z })
}

// WithAllowedOrigins names the origins, such as "https://app.example.com", whose
// pages may use the API from a browser. They get the CORS headers of a preflight,
// and may send the password of a user. Default: none. A text that
// [ValidateOrigin] refuses is refused by [NewHandler] and matches nothing in
// [Authenticate].
func WithAllowedOrigins(origins ...string) Option { return func(c *config) { c.origins = origins } }

// WithLogger sets where the cause of every 5xx answer is written, once, with a
// reference, which the answer gives where it is an internalServerError.
// nil, the default: [slog.Default] as it is now.
func WithLogger(l *slog.Logger) Option { return func(c *config) { c.log = l } }
