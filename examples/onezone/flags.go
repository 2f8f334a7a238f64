package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/onezone-go/onezone/macaroon/rest"
)

// settings are the values of the flags and environment variables.
type settings struct {
	address         string
	cert, key       string // files
	store           string // URL
	feedURL         string
	storeTimeout    time.Duration
	cache           bool
	sealKeys        string // file
	domain          string
	origin          string
	maxTemporaryTTL time.Duration
	origins         []string // whose pages may use the API from a browser
	proxies         []netip.Prefix
	limits          limits
	logLevel        slog.Level
	logFormat       string
	demo            bool // asked for
	demoIfNew       bool // not asked for; used if the store has no other users
	drain           time.Duration
	user            userOrder
	reseal          resealOrder
}

// defaultMaxTemporaryTTL is the default of Onezone, 2592000 s.
const defaultMaxTemporaryTTL = 30 * 24 * time.Hour

// defaultDomain is the default domain of an authority.
const defaultDomain = "onezone"

// demoUnless are the flags that show that the service is not just being tried
// out.
var demoUnless = []string{"store", "seal-key-file", "tls-cert", "domain", "origin", "allowed-origins", "trusted-proxies"}

// parseSettings reads the flags from the arguments, and missing ones from the
// environment. The error is a usage error, or flag.ErrHelp after the usage was
// written to out.
func parseSettings(args []string, out io.Writer, getenv func(string) string) (settings, error) {
	s := settings{storeTimeout: 5 * time.Second, drain: 500 * time.Millisecond, maxTemporaryTTL: defaultMaxTemporaryTTL}
	f := flag.NewFlagSet("onezone", flag.ContinueOnError)
	f.SetOutput(io.Discard) // the error has one line
	f.StringVar(&s.address, "address", "127.0.0.1:9080", "`HOST:PORT` to listen on")
	f.StringVar(&s.cert, "tls-cert", "", "PEM `FILE` of the TLS certificate chain")
	f.StringVar(&s.key, "tls-key", "", "PEM `FILE` of the key of the TLS certificate")
	f.StringVar(&s.store, "store", "sqlite:data/onezone.db", "`STORE` that keeps the records: sqlite:PATH, postgres://..., redis://... or memory:")
	f.StringVar(&s.feedURL, "feed-url", "", "`URL` postgres://... by which the feed of changes bypasses a transaction pooler, such as PgBouncer, in -store")
	f.Var(duration(&s.storeTimeout), "store-timeout", "longest `DURATION` of a call to PostgreSQL or Redis")
	s.cache = true
	f.Var(toggle(&s.cache), "cache", "cache verifications in memory, kept current by the feed of changes; -cache=false turns it off")
	f.StringVar(&s.sealKeys, "seal-key-file", "", "`FILE` of keys that encrypt secrets in the store")
	f.StringVar(&s.domain, "domain", defaultDomain, "`DOMAIN` of new tokens")
	f.StringVar(&s.origin, "origin", "", "`ORIGIN` that Location headers begin with: https://onezone.example.com")
	f.Var(duration(&s.maxTemporaryTTL), "max-temporary-ttl", "longest `DURATION` until a new temporary token expires")
	f.Func("allowed-origins", "`ORIGINS` whose pages may use the API from a browser, separated by commas: https://app.example.com", s.readOrigins)
	f.Func("trusted-proxies", "`NETWORKS` and addresses of proxies whose X-Forwarded-For is trusted, separated by commas", s.readProxies)
	s.limits.flags(f)
	f.Var(level(&s.logLevel), "log-level", "lowest `LEVEL` that is logged: debug, info, warn or error (default info)")
	f.StringVar(&s.logFormat, "log-format", "text", "`FORMAT` of the log: text or json")
	f.Var(toggle(&s.demo), "demo", "create the demo user and print curl commands to try (default: true for a first try on loopback; see the manual)")
	f.Var(duration(&s.drain), "drain", "`DURATION` to keep accepting requests after a signal, while /readyz answers 503")
	s.user.flags(f)
	s.reseal.flags(f)
	given, err := fromEnvironment(f, getenv)
	if err != nil {
		return settings{}, err
	}
	switch err := f.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(out, usage)
		f.SetOutput(out)
		f.PrintDefaults()
		return settings{}, err
	case err != nil:
		return settings{}, usageErrorf("%w; -help lists all flags", err)
	}
	f.Visit(func(set *flag.Flag) { given[set.Name] = true })
	if !given["demo"] {
		touched := slices.ContainsFunc(demoUnless, func(name string) bool { return given[name] })
		s.demoIfNew = !touched && isLoopback(s.address)
	}
	return s, s.check(f.Args())
}

// fromEnvironment sets flags from environment variables, and returns their
// names. Flags that make a run do something else than serve have no variable.
func fromEnvironment(f *flag.FlagSet, getenv func(string) string) (given map[string]bool, err error) {
	given = map[string]bool{}
	f.VisitAll(func(each *flag.Flag) {
		if isOrder(each.Name) {
			return
		}
		name := "ONEZONE_" + strings.ToUpper(strings.ReplaceAll(each.Name, "-", "_"))
		each.Usage += " [$" + name + "]"
		if value := getenv(name); value != "" {
			// The message never quotes the value, which may hold a password;
			// neither does a wantError.
			if bad := f.Set(each.Name, value); bad != nil {
				var want wantError
				errors.As(bad, &want)
				err = errors.Join(err, usageErrorf("the value of %s is not valid for -%s: %w", name, each.Name, want))
			}
			given[each.Name] = true
		}
	})
	return given, err
}

func (s *settings) readProxies(text string) error {
	s.proxies = nil
	for network := range strings.SplitSeq(text, ",") {
		network = strings.TrimSpace(network)
		prefix, err := netip.ParsePrefix(network)
		if addr, single := netip.ParseAddr(network); single == nil && addr.Zone() == "" {
			prefix, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			return fmt.Errorf("%q: %w", network, wantProxies)
		}
		s.proxies = append(s.proxies, prefix)
	}
	return nil
}

func (s *settings) readOrigins(text string) error {
	s.origins = nil
	for origin := range strings.SplitSeq(text, ",") {
		origin = strings.TrimSpace(origin)
		if err := rest.ValidateOrigin(origin); err != nil {
			return fmt.Errorf("%q: %w", origin, wantOrigins)
		}
		s.origins = append(s.origins, origin)
	}
	return nil
}

// check returns all errors in the settings.
func (s *settings) check(arguments []string) error {
	var errs []error
	if len(arguments) > 0 {
		errs = append(errs, usageErrorf("unexpected argument %q: onezone takes only flags; -help lists them", arguments[0]))
	}
	errs = append(errs, checkAddress(s.address), checkStore(s.store), checkDomain(s.domain), checkOrigin(s.origin))
	if (s.cert == "") != (s.key == "") {
		errs = append(errs, usageErrorf("-tls-cert and -tls-key must be given together"))
	}
	if s.logFormat != "text" && s.logFormat != "json" {
		errs = append(errs, usageErrorf("-log-format %q must be text or json", s.logFormat))
	}
	if s.feedURL != "" && !(isPostgres(s.store) && isPostgres(s.feedURL)) {
		errs = append(errs, usageErrorf("-feed-url must be a postgres://... URL, and needs a -store that is one, too"))
	}
	if s.storeTimeout <= 0 {
		errs = append(errs, usageErrorf("-store-timeout must be greater than zero, such as 5s"))
	}
	if s.maxTemporaryTTL < time.Second {
		errs = append(errs, usageErrorf("-max-temporary-ttl must be at least 1s"))
	}
	if s.drain < 0 {
		errs = append(errs, usageErrorf("-drain must not be negative"))
	}
	return errors.Join(append(errs, s.user.check(s.store), s.reseal.check(s))...)
}

// isProxy reports whether the address belongs to a trusted proxy.
func (s settings) isProxy(address netip.Addr) bool {
	return slices.ContainsFunc(s.proxies, func(p netip.Prefix) bool { return p.Contains(address) })
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
