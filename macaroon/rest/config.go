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

// config holds the settings of [NewHandler] and [Authenticate], which options
// change.
type config struct {
	purpose    purpose
	unused     []string // options without an effect for the purpose
	verifier   macaroon.Verifier
	authority  *macaroon.Authority // the verifier, if it is one; nil for a remote Onezone
	identities bool                // clients present identity tokens
	rights     Rights
	idp        IdentityProvider
	scopes     DataScopes
	sessionOf  func(*http.Request) string
	proxies    []netip.Prefix
	inFlight   *inFlight
	noBasic    bool
	unconfined bool // clients get tokens without the caveats of their own token
	dataAccess bool
	later      []caveat.Type // decided by the handler
	discharges string        // the header that carries discharges; "" for none
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

func newConfig(p purpose, v macaroon.Verifier, options []Option) *config {
	c := &config{purpose: p, verifier: v, iface: caveat.REST, inFlight: newInFlight(0)}
	var local bool
	if c.authority, local = v.(*macaroon.Authority); v == nil || local && c.authority == nil {
		panic("rest: " + string(p) + ": the verifier is nil")
	}
	if p == forAPI {
		c.origin = "https://" + c.authority.Domain()
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

// Option changes a default of [NewHandler] or [Authenticate]. An option that is
// for one of the two has no effect on the other, which logs a warning.
type Option func(*config)

// only returns an option that takes effect for one of the purposes.
func only(p purpose, name string, set Option) Option {
	return func(c *config) {
		if c.purpose == p {
			set(c)
		} else {
			c.unused = append(c.unused, name)
		}
	}
}

// WithRights sets the [Rights] of clients on the tokens of others. It is for
// [NewHandler]. Default: no rights.
func WithRights(r Rights) Option {
	return only(forAPI, "WithRights", func(c *config) { c.rights = r })
}

// WithIdentityProvider sets the [IdentityProvider] for access tokens that are
// not Onezone tokens. Default: they are badToken.
func WithIdentityProvider(p IdentityProvider) Option { return func(c *config) { c.idp = p } }

// WithDataScopes sets the [DataScopes], which know the spaces of users. It is
// for [NewHandler]. Default: users have no spaces.
func WithDataScopes(s DataScopes) Option {
	return only(forAPI, "WithDataScopes", func(c *config) { c.scopes = s })
}

// WithSessionFrom sets a function that returns the session of a request, "" for
// no session. It may read a cookie, for instance. Default: no sessions.
func WithSessionFrom(sessionOf func(*http.Request) string) Option {
	return func(c *config) { c.sessionOf = sessionOf }
}

// WithTrustedProxies sets the networks of proxies whose X-Forwarded-For is
// trusted. If the connection comes from one of them, the address of the client is
// the last address in X-Forwarded-For that is in none of them. An address may have
// a port and brackets; if it cannot be parsed, the address of the client is
// unknown. Networks of IPv4-mapped addresses are those of the IPv4 addresses.
// Forwarded (RFC 7239) is never read: a proxy that sets one of the two headers
// forwards the other as the client wrote it. Default: both are ignored, and a
// proxy on this machine is logged once.
func WithTrustedProxies(networks ...netip.Prefix) Option {
	return func(c *config) { c.proxies = networks }
}

// WithMaxInFlight limits the concurrent requests of a client to n, and their
// memory.
//
// Requests of a user or Oneprovider count together, and so do requests without
// credentials from one address (of IPv6, the first 64 bits). Until a request is
// authenticated it counts for its address. Requests past the limit are answered
// with 429 temporaryFailure and Retry-After. The memory for large bodies and lists
// is limited, too, per client (429) and in total (503 temporaryFailure); requests
// wait for memory a few seconds.
//
// An n of 0 turns all of this off. Default: [DefaultMaxInFlight] for [NewHandler],
// and 0 for [Authenticate], because its handlers may take long.
func WithMaxInFlight(n int) Option { return func(c *config) { c.inFlight = newInFlight(n) } }

// AcceptIdentityTokens makes [Authenticate] accept identity tokens instead of
// access tokens. An identity token proves who the client is, and gives whoever
// receives it no power at Onezone. It is what a service of a third party should
// ask its users for. It is for Authenticate.
func AcceptIdentityTokens() Option {
	return only(forMiddleware, "AcceptIdentityTokens", func(c *config) { c.identities = true })
}

// WithoutBasicAuth refuses Basic authentication with basicAuthNotSupported.
func WithoutBasicAuth() Option { return func(c *config) { c.noBasic = true } }

// WithoutInheritance turns off the inheritance of caveats, as in the original
// Onezone. Tokens that a client creates or reads then lack the caveats of its
// own token, so the client can escape its confinement. It is for [NewHandler].
func WithoutInheritance() Option {
	return only(forAPI, "WithoutInheritance", func(c *config) { c.unconfined = true })
}

// AllowDataCaveats makes [Authenticate] accept tokens with data.* caveats. The
// handler must then enforce them with [Client.CheckFile]. It is for
// Authenticate, because [NewHandler] serves no data.
func AllowDataCaveats() Option {
	return only(forMiddleware, "AllowDataCaveats", func(c *config) { c.dataAccess = true })
}

// CheckLater makes [Authenticate] accept caveats of these kinds undecided. The
// kinds must be the application's; Authenticate always decides those of the
// Onezone language. The handler must decide each kind with [Client.CheckKind]
// when it knows what the request is about. It is for Authenticate.
func CheckLater(kinds ...caveat.Type) Option {
	return only(forMiddleware, "CheckLater", func(c *config) {
		for _, kind := range kinds {
			if !slices.Contains(caveat.Types(), kind) {
				c.later = append(c.later, kind)
			}
		}
	})
}

// WithDischarges sets the header, such as "Macaroon-Discharges", in which clients
// send the discharges of the third-party caveats of their token: their texts,
// separated by commas, in one line or several, at most 1024. The authority must
// have [macaroon.WithDischarges], which also limits them. Discharges that the token
// does not need are refused. Default: no header is read, and tokens with
// third-party caveats are refused.
func WithDischarges(header string) Option {
	return func(c *config) { c.discharges = http.CanonicalHeaderKey(header) }
}

// AsService sets the service to which the handler behind [Authenticate]
// belongs. Services other than the default ignore the service token of a client,
// which would make the tokens of another service valid here. They accept the
// tokens of users only if [macaroon.WithMemberships] says that the user may use
// the service, and tokens with service caveats only if these name it. It is for
// Authenticate. Default: Onezone's worker, which [NewHandler] always is.
func AsService(s caveat.Service) Option {
	return only(forMiddleware, "AsService", func(c *config) { c.service = s })
}

// AsInterface sets the interface of the handler behind [Authenticate]. It is
// for Authenticate. Default: [caveat.REST], which [NewHandler] always is.
func AsInterface(i caveat.Interface) Option {
	return only(forMiddleware, "AsInterface", func(c *config) { c.iface = i })
}

// WithOrigin sets the origin of the API, such as
// "https://onezone.example.com:8443", for Location headers. It is for
// [NewHandler]. Default: https and the domain of the authority.
func WithOrigin(origin string) Option {
	return only(forAPI, "WithOrigin", func(c *config) { c.origin = origin })
}

// WithConfiguration sets the description of the installation for GET
// /configuration. It is for [NewHandler]. Default: only the domain of its
// tokens.
func WithConfiguration(z Configuration) Option {
	return only(forAPI, "WithConfiguration", func(c *config) { c.zone = z })
}

// WithAllowedOrigins sets the origins, such as "https://app.example.com", whose
// pages may use the API from a browser. Their preflight requests get CORS
// headers, and they may send the password of a user. [NewHandler] returns an
// error for an origin that [ValidateOrigin] rejects; in [Authenticate] it
// matches nothing. Default: none.
func WithAllowedOrigins(origins ...string) Option { return func(c *config) { c.origins = origins } }

// WithLogger sets the log for the causes of 5xx responses. Each cause is logged
// once, with a reference that an internalServerError response includes.
// Default, and for nil: [slog.Default] when [NewHandler] or [Authenticate] is
// called.
func WithLogger(l *slog.Logger) Option { return func(c *config) { c.log = l } }
