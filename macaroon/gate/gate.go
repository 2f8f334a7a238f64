package gate

import (
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// Gate answers the authorization requests of a reverse proxy. It is an
// [http.Handler] and safe for concurrent use.
type Gate struct {
	verifier macaroon.Verifier
	proxies  []netip.Prefix
	log      *slog.Logger
	current  atomic.Pointer[ruleset]
}

// ruleset is the rules with a handler for each.
type ruleset struct {
	*Rules
	handlers            map[*rule]http.Handler
	untrusted, unusable firstWarning
}

// firstWarning is the level of a cause that is a warning once, so that nobody
// can fill the log.
type firstWarning struct{ sync.Once }

func (f *firstWarning) level() slog.Level {
	level := slog.LevelDebug
	f.Do(func() { level = slog.LevelWarn })
	return level
}

// Option changes a default of [New].
type Option func(*Gate)

// WithTrustedProxies sets the networks of the proxies that may ask the gate,
// and whose X-Forwarded-For it believes. Networks of IPv4-mapped addresses are
// those of the IPv4 addresses. Default: none, so that every request is refused.
func WithTrustedProxies(networks ...netip.Prefix) Option {
	return func(g *Gate) {
		g.proxies = slices.Clone(networks)
		for i, n := range g.proxies {
			const mapped = 96 // bits in front of an IPv4 address in IPv6
			if n.Addr().Is4In6() && n.Bits() >= mapped {
				g.proxies[i] = netip.PrefixFrom(n.Addr().Unmap(), n.Bits()-mapped)
			}
		}
	}
}

// WithLogger sets the log for the causes of 5xx responses (errors), the first
// request that the proxy should not have sent (warnings), further ones and all
// decisions (debug). Default, and for nil: [slog.Default] when [New] is
// called.
func WithLogger(l *slog.Logger) Option { return func(g *Gate) { g.log = l } }

// New returns a gate that verifies tokens with an [macaroon.Authority], or with
// the client of another Onezone (package remote). Errors: badData {key
// "verifier"} or {key "rules"} if one of them is nil.
func New(v macaroon.Verifier, rules *Rules, options ...Option) (*Gate, error) {
	if a, isAuthority := v.(*macaroon.Authority); v == nil || isAuthority && a == nil {
		return nil, errors.BadDataHint("verifier", "the gate needs an authority or a remote client")
	}
	g := &Gate{verifier: v}
	for _, option := range options {
		if option != nil {
			option(g)
		}
	}
	if g.log == nil {
		g.log = slog.Default()
	}
	if err := g.SetRules(rules); err != nil {
		return nil, err
	}
	return g, nil
}

// SetRules replaces the rules for the requests that follow. Requests in flight
// are decided by the rules with which they began. The error is badData {key
// "rules"} if rules is nil.
func (g *Gate) SetRules(rules *Rules) error {
	if rules == nil {
		return errors.BadDataHint("rules", "the gate needs the result of ReadRules or ParseRules")
	}
	common := []rest.Option{rest.WithoutBasicAuth(), rest.WithTrustedProxies(g.proxies...), rest.WithLogger(g.log)}
	with := func(more ...rest.Option) func(http.Handler) http.Handler {
		if !rules.service.IsZero() {
			more = append(more, rest.AsService(rules.service))
		}
		return rest.Authenticate(g.verifier, append(more, common...)...)
	}
	identity, access, data := with(rest.AcceptIdentityTokens()), with(), with(rest.AllowDataCaveats())
	set := &ruleset{Rules: rules, handlers: make(map[*rule]http.Handler)}
	for _, r := range rules.rules {
		switch handler := http.Handler(decide(r)); {
		case r.anonymous:
			set.handlers[r] = http.HandlerFunc(passAnonymous)
		case r.api == nil:
			set.handlers[r] = identity(challengeScope(handler))
		case r.file == "":
			set.handlers[r] = access(challengeScope(r.api.require(handler)))
		default:
			set.handlers[r] = data(challengeScope(r.api.require(handler)))
		}
	}
	g.current.Store(set)
	return nil
}

// ServeHTTP answers one request of the proxy.
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	set := g.current.Load()
	if !g.trusts(rest.ClientAddress(r)) {
		g.refuse(w, r, set.untrusted.level(), errors.Forbidden("the gate answers trusted proxies only"))
		return
	}
	method, target, err := set.original(r)
	if err != nil {
		g.refuse(w, r, set.unusable.level(), err)
		return
	}
	if err := checkHeaders(r.Header); err != nil {
		g.refuse(w, r, slog.LevelDebug, err)
		return
	}
	found, path, why := set.find(method, target)
	if found == nil {
		g.refuse(w, r, slog.LevelDebug, errors.Forbidden(why))
		return
	}
	if !forwarded(r.Header) {
		r = r.WithContext(r.Context()) // a copy
		r.RemoteAddr = ""
	}
	r.Pattern = found.pattern.text
	found.pattern.bind(path, r.SetPathValue)
	res := &response{ResponseWriter: w, challenge: invalidToken}
	set.handlers[found].ServeHTTP(res, r)
	if g.log.Enabled(r.Context(), slog.LevelDebug) {
		g.log.DebugContext(r.Context(), "decided", "method", method, "rule", found.where, "status", res.status)
	}
}

// refuse answers a request before a rule decides it.
func (g *Gate) refuse(w http.ResponseWriter, r *http.Request, level slog.Level, err error) {
	g.log.Log(r.Context(), level, "refused", "peer", r.RemoteAddr, "error", err)
	rest.WriteError(w, err)
}

// trusts reports whether a peer is a trusted proxy.
func (g *Gate) trusts(peer netip.Addr) bool {
	return slices.ContainsFunc(g.proxies, func(n netip.Prefix) bool { return n.Contains(peer) })
}

// forwarded reports whether the proxy sent the address of the client.
func forwarded(h http.Header) bool {
	return slices.ContainsFunc(h["X-Forwarded-For"], func(line string) bool { return strings.Trim(line, ", \t") != "" })
}
