package main

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// settings are the values of flags, variables and the configuration file.
type settings struct {
	address         string
	adminAddress    string // "": none
	adminIfFree     bool   // the address is the default
	cert, key       string // files
	store           string // URL
	feedURL         string
	primaryStore    string // URL, if store is that of a standby
	storeTimeout    time.Duration
	leeway          time.Duration // of time caveats
	database        databaseSettings
	cache           bool
	memory          memorySettings
	basicAuth       bool
	inherit         bool   // tokens inherit the caveats of the client
	sealKeys        string // file
	domain          string
	origin          string
	maxTemporaryTTL time.Duration
	origins         []string // whose pages may use the API from a browser
	proxies         []netip.Prefix
	geoip           []string // files
	page            bool     // serve the page for browsers
	oidc            oidcSettings
	lastUse         lastUseSettings
	limits          limits
	logLevel        slog.Level
	logFormat       string
	audit           string // file
	quotas          macaroon.Quotas
	maxCaveats      int
	failures        int // of log-ins
	failureInterval time.Duration
	demo            bool // asked for
	demoIfNew       bool // not asked for; used if the store has no other users
	drain           time.Duration
	convertSeal     bool   // open also secrets in clear, and those of earlier releases
	secretConfig    string // configuration file, if it has the password of the store
	keepTables      bool   // neither create nor upgrade the store
	mustExist       bool   // do not create the file of the store
}

const (
	// defaultMaxTemporaryTTL is the default of Onezone, 2592000 s.
	defaultMaxTemporaryTTL = 30 * 24 * time.Hour
	// defaultFailureInterval is the default of an authority.
	defaultFailureInterval = 6 * time.Second
	// defaultDomain is the default domain of an authority.
	defaultDomain = "onezone"
)

// newSettings returns the default values of settings that a command has no flag
// for.
func newSettings() *settings {
	return &settings{
		database:     newDatabaseSettings(),
		storeTimeout: 5 * time.Second, logFormat: "text", domain: defaultDomain,
		maxTemporaryTTL: defaultMaxTemporaryTTL, limits: limits{headerBytes: defaultHeaderBytes},
		maxCaveats: macaroon.DefaultMaxCaveats,
		quotas:     macaroon.Quotas{NamedTokens: 10_000, CustomMetadata: 64 << 10, Record: 256 << 10},
		failures:   macaroon.DefaultFailures, failureInterval: defaultFailureInterval,
	}
}

// storeFlags adds the settings of commands that open the store.
func (s *settings) storeFlags(f *pflag.FlagSet) {
	f.StringVar(&s.store, "store", "sqlite:data/onezone.db", "`STORE` that keeps the records: sqlite:PATH, postgres://..., redis://... or memory:")
	f.Var(durationFlag(&s.storeTimeout), "store-timeout", "longest `DURATION` of a call to PostgreSQL or Redis")
	s.database.flags(f)
	f.StringVar(&s.sealKeys, "seal-key-file", "", "`FILE` of keys that encrypt secrets in the store; see \"onezone help seal-keys\"")
	f.Var(level(&s.logLevel), "log-level", "lowest `LEVEL` that is logged: debug, info, warn or error")
	f.Var(oneOf(&s.logFormat, "text", "json"), "log-format", "`FORMAT` of the log: text or json")
	f.StringVar(&s.audit, "audit", "", "`FILE` to which each event is appended as a line of JSON")
}

// issueFlags adds the settings of commands that issue tokens.
func (s *settings) issueFlags(f *pflag.FlagSet) {
	f.StringVar(&s.domain, "domain", defaultDomain, "`DOMAIN` of new tokens")
	f.Var(durationFlag(&s.maxTemporaryTTL), "max-temporary-ttl", "longest `DURATION` until a new temporary token expires")
	s.limits.issueFlags(f)
	f.Var(count(&s.maxCaveats, 1), "max-caveats", "most caveats, `N`, of a token")
	f.Var(count(&s.quotas.NamedTokens, 1), "max-tokens-per-user", "most named tokens, `N`, of one user")
	f.Var(count(&s.quotas.CustomMetadata, 1), "max-metadata-bytes", "most `BYTES` of the custom metadata of a token")
	f.Var(count(&s.quotas.Record, 1), "max-record-bytes", "most `BYTES` of the record of a token")
}

// serviceFlags adds the settings of the service alone.
func (s *settings) serviceFlags(f *pflag.FlagSet) {
	s.cache, s.page, s.basicAuth, s.inherit, s.drain = true, true, true, true, 5*time.Second
	f.StringVar(&s.address, "address", "127.0.0.1:9080", "`HOST:PORT` to listen on")
	f.StringVar(&s.adminAddress, "admin-address", "127.0.0.1:9089", "`HOST:PORT` to listen on for metrics, health and profiles; --admin-address= turns it off")
	f.StringVar(&s.cert, "tls-cert", "", "PEM `FILE` of the TLS certificate chain")
	f.StringVar(&s.key, "tls-key", "", "PEM `FILE` of the key of the TLS certificate")
	f.StringVar(&s.feedURL, "feed-url", "", "`URL` postgres://... by which the feed of changes bypasses a transaction pooler, such as PgBouncer, in --store")
	f.StringVar(&s.primaryStore, "primary-store", "", "`URL` postgres://... of the primary, if --store is a hot standby: look-ups of what the standby does not have are repeated there")
	toggle(f, &s.cache, "cache", "cache verifications in memory, kept current by the feed of changes; --cache=false turns it off")
	s.memory.flags(f)
	f.StringVar(&s.origin, "origin", "", "`ORIGIN` that Location headers begin with: https://onezone.example.com")
	f.Var(origins(&s.origins), "allowed-origins", "`ORIGINS` whose pages may use the API from a browser, separated by commas: https://app.example.com")
	f.Var(networks(&s.proxies), "trusted-proxies", "`NETWORKS` and addresses of proxies whose X-Forwarded-For is trusted, separated by commas")
	f.Var(repeated(&s.geoip), "geoip", "MaxMind `FILE` that decides caveats about countries and regions, or about autonomous systems; may be repeated")
	toggle(f, &s.basicAuth, "basic-auth", "accept user names and passwords; --basic-auth=false leaves tokens and the identity provider")
	toggle(f, &s.inherit, "inherit-caveats", "give clients only tokens with the caveats of their own; --inherit-caveats=false lets them escape these, as the original does")
	toggle(f, &s.page, "page", "serve the page for browsers at /; --page=false turns it off")
	s.oidc.flags(f)
	s.lastUse.flags(f)
	s.limits.clientFlags(f)
	f.Var(count(&s.failures, 1), "login-failures", "log-ins, `N`, that may fail in a row for a user name, and ten times as many for an address")
	f.Var(durationFlag(&s.failureInterval), "login-interval", "`DURATION` after which one more log-in may fail")
	toggle(f, &s.demo, "demo", "create the demo user and print curl commands to try; on by itself for a first try on loopback")
	f.Var(durationFlag(&s.leeway), "clock-leeway", "`DURATION` for which tokens are still valid after their time, for replicas whose clocks differ")
	f.Var(durationFlag(&s.drain), "drain", "`DURATION` to keep accepting requests after a signal, while /readyz answers 503; longer than the interval in which a proxy asks")
}

// allFlags adds the settings of the service.
func (s *settings) allFlags(f *pflag.FlagSet) {
	s.serviceFlags(f)
	s.storeFlags(f)
	s.issueFlags(f)
}

// check returns all errors in the settings of the flags.
func (s *settings) check(has func(flag string) bool) error {
	var errs []error
	for _, c := range []struct {
		flag  string
		check func() error
	}{
		{"address", func() error { return checkAddress("address", s.address) }},
		{"admin-address", s.checkAdminAddress},
		{"store", func() error { return checkStore(s.store) }},
		{"domain", func() error { return checkDomain(s.domain) }},
		{"origin", func() error { return checkOrigin(s.origin) }},
		{"tls-cert", s.checkTLS},
		{"feed-url", s.checkFeedURL},
		{"primary-store", s.checkPrimaryStore},
		{"oidc-issuer", s.oidc.check},
		{"last-use-interval", s.lastUse.check},
		{"cache-ttl", s.memory.check},
		{"store-timeout", func() error {
			return failUnless(s.storeTimeout > 0, "--store-timeout must be greater than zero, such as 5s")
		}},
		{"max-temporary-ttl", func() error {
			return failUnless(s.maxTemporaryTTL >= time.Second, "--max-temporary-ttl must be at least 1s")
		}},
		{"login-interval", func() error {
			return failUnless(s.failureInterval > 0, "--login-interval must be greater than zero, such as 6s")
		}},
		{"basic-auth", func() error {
			return failUnless(s.basicAuth || !s.demo, "--demo creates a user with a password, which --basic-auth=false does not accept")
		}},
		{"clock-leeway", func() error {
			return failUnless(s.leeway >= 0 && s.leeway <= macaroon.MaxLeeway, "--clock-leeway must be between 0s and "+macaroon.MaxLeeway.String())
		}},
		{"drain", func() error { return failUnless(s.drain >= 0, "--drain must not be negative") }},
	} {
		if has(c.flag) {
			errs = append(errs, c.check())
		}
	}
	return errors.Join(errs...)
}

func failUnless(holds bool, message string) error {
	if holds {
		return nil
	}
	return usageErrorf("%s", message)
}

func (s *settings) checkTLS() error {
	return failUnless((s.cert == "") == (s.key == ""), "--tls-cert and --tls-key must be given together")
}

func (s *settings) checkAdminAddress() error {
	if s.adminAddress == "" {
		return nil
	}
	return checkAddress("admin-address", s.adminAddress)
}

func (s *settings) checkFeedURL() error {
	return failUnless(s.feedURL == "" || isPostgres(s.store) && isPostgres(s.feedURL),
		"--feed-url must be a postgres://... URL, and needs a --store that is one, too")
}

func (s *settings) checkPrimaryStore() error {
	if s.primaryStore == "" {
		return nil
	}
	return errors.Join(
		failUnless(isPostgres(s.store) && isPostgres(s.primaryStore),
			"--primary-store must be a postgres://... URL, and needs a --store that is one, too"),
		failUnless(!s.lastUse.on, "--primary-store needs --last-use=false, because a standby cannot record uses"))
}

// isProxy reports whether the address belongs to a trusted proxy.
func (s settings) isProxy(address netip.Addr) bool {
	return slices.ContainsFunc(s.proxies, func(p netip.Prefix) bool { return p.Contains(address) })
}

// demoUnless are the flags that show that the service is not just being tried
// out.
var demoUnless = []string{"store", "seal-key-file", "tls-cert", "domain", "origin", "allowed-origins", "trusted-proxies", "oidc-issuer", "basic-auth"}

// decideDefaults turns the demo user on for a first try. given reports whether a
// flag is set.
func (s *settings) decideDefaults(given func(flag string) bool) {
	s.adminIfFree = !given("admin-address")
	if !given("demo") {
		s.demoIfNew = !slices.ContainsFunc(demoUnless, given) && isLoopback(s.address)
	}
}

// isLoopback reports whether only this machine can reach the address.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// limits are the limits on clients.
type limits struct {
	headerBytes int // of a request, with its first line
	connections int // of all clients
	perAddress  int // connections from one address that is not a trusted proxy
	requests    int // of one client at once
}

// Defaults of the limits.
const (
	defaultHeaderBytes = 16 << 10
	defaultConnections = 1000
	defaultPerAddress  = 100
)

func (l *limits) issueFlags(f *pflag.FlagSet) {
	f.Var(count(&l.headerBytes, 4<<10), "max-header-bytes", "most `BYTES` of a request without its body; new tokens have up to half of that")
}

func (l *limits) clientFlags(f *pflag.FlagSet) {
	l.connections, l.perAddress, l.requests = defaultConnections, defaultPerAddress, rest.DefaultMaxInFlight
	f.Var(count(&l.connections, 1), "max-connections", "most connections, `N`, of all clients")
	f.Var(count(&l.perAddress, 1), "max-connections-per-address", "most connections, `N`, from one address that is not a trusted proxy")
	f.Var(count(&l.requests, 1), "max-requests-per-client", "most requests, `N`, that are served at once for one user, or without credentials for one address")
}

// issuedSize returns the longest text of a new token, in characters. Two such
// tokens fit into the headers of a request.
func (l limits) issuedSize() int { return l.headerBytes / 2 }
