package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"time"
)

// settings are what flags and the environment say.
type settings struct {
	address      string
	cert, key    string // files
	store        string // URL
	storeTimeout time.Duration
	cache        bool
	sealKeys     string // file
	domain       string
	origin       string
	proxies      []netip.Prefix
	logLevel     slog.Level
	logFormat    string
	demo         bool
	drain        time.Duration
	user         userOrder
}

// defaultDomain is that of authorities that are told of none.
const defaultDomain = "onezone"

// parseSettings reads the arguments, and for flags that are not among them the
// environment. What is wrong is written to out, with the usage.
func parseSettings(args []string, out io.Writer, getenv func(string) string) (settings, error) {
	var s settings
	f := flag.NewFlagSet("onezone", flag.ContinueOnError)
	f.SetOutput(out)
	f.StringVar(&s.address, "address", "127.0.0.1:9080", "`HOST:PORT` to listen on")
	f.StringVar(&s.cert, "tls-cert", "", "PEM `FILE` of the TLS certificate chain")
	f.StringVar(&s.key, "tls-key", "", "PEM `FILE` of the key of the TLS certificate")
	f.StringVar(&s.store, "store", "sqlite:data/onezone.db", "where records are kept: sqlite:PATH, postgres://..., redis://... or memory:")
	f.DurationVar(&s.storeTimeout, "store-timeout", 5*time.Second, "how long a call of PostgreSQL or Redis may take")
	f.BoolVar(&s.cache, "cache", true, "answer verifications from memory where that is right")
	f.StringVar(&s.sealKeys, "seal-key-file", "", "`FILE` of keys that encrypt secrets in the store")
	f.StringVar(&s.domain, "domain", defaultDomain, "domain of new tokens")
	f.StringVar(&s.origin, "origin", "", "what Location headers begin with: https://onezone.example.com")
	f.Func("trusted-proxies", "`NETWORKS` whose X-Forwarded-For is believed, with commas between", s.readProxies)
	f.TextVar(&s.logLevel, "log-level", slog.LevelInfo, "debug, info, warn or error")
	f.StringVar(&s.logFormat, "log-format", "text", "text or json")
	f.BoolVar(&s.demo, "demo", false, "make the demo user and print curl lines to try (default true on a loopback address)")
	f.DurationVar(&s.drain, "drain", 500*time.Millisecond, "how long to go on accepting after a signal, while clients are told to go elsewhere")
	s.user.flags(f)
	given, err := fromEnvironment(f, getenv)
	if err != nil {
		return settings{}, err
	}
	if err := f.Parse(args); err != nil {
		return settings{}, err
	}
	f.Visit(func(set *flag.Flag) { given[set.Name] = true })
	if !given["demo"] {
		s.demo = isLoopback(s.address)
	}
	return s, s.check(f.Args())
}

// fromEnvironment sets the flags that have a variable, and returns which. What
// makes one run do something else than serve is no setting.
func fromEnvironment(f *flag.FlagSet, getenv func(string) string) (given map[string]bool, err error) {
	given = map[string]bool{}
	f.VisitAll(func(each *flag.Flag) {
		if isOrder(each.Name) {
			return
		}
		name := "ONEZONE_" + strings.ToUpper(strings.ReplaceAll(each.Name, "-", "_"))
		each.Usage += " [$" + name + "]"
		if value := getenv(name); value != "" {
			// The value may hold a password and is not quoted.
			if f.Set(each.Name, value) != nil {
				err = errors.Join(err, fmt.Errorf("the value of %s is no good for -%s", name, each.Name))
			}
			given[each.Name] = true
		}
	})
	return given, err
}

func (s *settings) readProxies(text string) error {
	s.proxies = nil
	for network := range strings.SplitSeq(text, ",") {
		prefix, err := netip.ParsePrefix(strings.TrimSpace(network))
		if err != nil {
			return err
		}
		s.proxies = append(s.proxies, prefix)
	}
	return nil
}

func (s *settings) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("there are no arguments besides flags, and %q is none", rest[0])
	case (s.cert == "") != (s.key == ""):
		return errors.New("-tls-cert and -tls-key go together")
	case s.logFormat != "text" && s.logFormat != "json":
		return errors.New("-log-format is text or json")
	case s.storeTimeout <= 0:
		return errors.New("-store-timeout is more than nothing")
	case s.drain < 0:
		return errors.New("-drain is no time in the past")
	}
	return s.user.check()
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
