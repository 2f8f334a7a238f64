package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/gate"
	"github.com/onezone-go/onezone/macaroon/remote"
)

// gateSettings are the settings of the gate. Those of the store are for an
// Onezone of your own.
type gateSettings struct {
	*settings
	rules   string // file
	onezone string // URL; "": the store
	maxAge  time.Duration
}

// gateGCPercent trades memory for time: the gate needs few megabytes.
const gateGCPercent = 400

func (p *program) gateCommand() *cobra.Command {
	s := gateSettings{settings: newSettings(), maxAge: remote.DefaultMaxAge}
	s.keepTables = true
	s.proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	c := &cobra.Command{
		Use:   "gate",
		Short: "Let a reverse proxy ask who may do what",
		Long: `Answers the authorization requests of nginx, Caddy, Traefik or Envoy, so that
tokens protect programs in any language: 200 with the identity of the client in
headers, 401, 403, or 503 while it cannot verify tokens. The rules are a TOML
file. docs/gate.md describes the rules and the configurations of the proxies.

Tokens are verified by the Onezone at the URL of --onezone, or with the --store of
an Onezone of your own. SIGHUP reads the rules again. A bad file is refused at the
start; later it is logged, and the rules stay as they are.`,
		Example: `  onezone gate --onezone https://onezone.example.org --rules rules.toml --address 127.0.0.1:9081
  onezone gate --store sqlite:data/onezone.db --rules rules.toml
  onezone gate check rules.toml GET /files/s1/a.txt`,
		Args: noArguments,
	}
	f := c.Flags()
	f.StringVar(&s.rules, "rules", "", "`FILE` with the rules")
	f.StringVar(&s.onezone, "onezone", "", "`URL` of the Onezone that verifies the tokens")
	f.Var(durationFlag(&s.maxAge), "max-age", "`DURATION` for which an answer of the Onezone is used, which is how late a revocation may be noticed")
	f.StringVar(&s.address, "address", "127.0.0.1:9081", "`HOST:PORT` to listen on")
	f.Var(networks(&s.proxies), "trusted-proxies", "`NETWORKS` and addresses of the proxies that may ask, separated by commas")
	s.storeFlags(f)
	c.RunE = func(c *cobra.Command, _ []string) error {
		from, err := p.configured(f, s.settings)
		if err != nil {
			return err
		}
		if err := s.checkGate(from); err != nil {
			return err
		}
		return p.gate(c.Context(), s)
	}
	c.AddCommand(p.gateCheckCommand())
	return c
}

func (p *program) gateCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use: "check RULES METHOD PATH", Short: "Print what the rules of a gate require of a request",
		Example: "  onezone gate check rules.toml GET /files/s1/a.txt",
		Args:    arguments("RULES", "METHOD", "PATH"),
		RunE: func(_ *cobra.Command, args []string) error {
			rules, err := gate.ReadRules(args[0])
			if err != nil {
				return err
			}
			text, err := rules.Explain(args[1], args[2])
			if err != nil {
				return err
			}
			_, err = io.WriteString(p.out, text)
			return err
		},
	}
}

// checkGate returns the errors in the gate's own flags.
func (s gateSettings) checkGate(from sources) error {
	return errors.Join(
		failUnless(s.rules != "", "--rules FILE is required"),
		failUnless(s.onezone == "" || from["store"] != "flag --store", "--onezone and --store must not be given together"),
		failUnless(s.onezone != "" || from.has("store"), "either --onezone URL or --store STORE is required"),
		failUnless(s.maxAge >= 0, "--max-age must not be negative"),
	)
}

// gate serves until ctx is done.
func (p *program) gate(ctx context.Context, s gateSettings) (err error) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gateGCPercent)
	}
	log := newLogger(p.err, s.logFormat, s.logLevel)
	rules, err := gate.ReadRules(s.rules)
	if err != nil {
		return err
	}
	verifier, err := s.openVerifier(ctx, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, verifier.Close()) }()
	g, err := gate.New(verifier, rules, gate.WithTrustedProxies(s.proxies...), gate.WithLogger(log))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		return fmt.Errorf("--address %s: %w", s.address, err)
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	log.Info("serving", "address", listener.Addr().String(), "rules", s.rules)
	return serveGate(ctx, listener, g, hangups, func() { reloadRules(g, s.rules, log) })
}

// closingVerifier is a verifier with resources to close.
type closingVerifier struct {
	macaroon.Verifier
	io.Closer
}

// openVerifier opens the Onezone or the store of the settings.
func (s gateSettings) openVerifier(ctx context.Context, log *slog.Logger) (closingVerifier, error) {
	if s.onezone != "" {
		client, err := remote.New(s.onezone, remote.WithMaxAge(s.maxAge, min(s.maxAge, remote.DefaultNegativeMaxAge)), remote.WithLogger(log))
		if err != nil {
			return closingVerifier{}, fmt.Errorf("--onezone: %w", err)
		}
		return closingVerifier{client, client}, nil
	}
	if err := checkLasting(s.store); err != nil {
		return closingVerifier{}, err
	}
	opened, err := openStore(ctx, *s.settings, nil, log)
	if err != nil {
		return closingVerifier{}, err
	}
	audit, err := openAudit(s.audit, log)
	if err != nil {
		return closingVerifier{}, errors.Join(err, opened.Close())
	}
	opened.closers = append(opened.closers, audit)
	authority, err := newAuthority(*s.settings, opened.front, func(ctx context.Context, e macaroon.Event) {
		logEvent(ctx, log, e)
		audit.write(e, "")
	})
	if err != nil {
		return closingVerifier{}, errors.Join(err, opened.Close())
	}
	return closingVerifier{authority, opened}, nil
}

// reloadRules replaces the rules, unless the file is bad.
func reloadRules(g *gate.Gate, file string, log *slog.Logger) {
	rules, err := gate.ReadRules(file)
	if err == nil {
		err = g.SetRules(rules)
	}
	if err != nil {
		log.Error("kept the old rules", "rules", file, "error", err)
		return
	}
	log.Info("replaced the rules", "rules", file)
}

// Limits of connections to the gate. The proxy is its only client.
const (
	gateHeaderTimeout   = 5 * time.Second
	gateRequestTimeout  = 30 * time.Second
	gateIdleTimeout     = 2 * time.Minute
	gateShutdownTimeout = 10 * time.Second
	gateHeaderBytes     = 64 << 10
)

// serveGate serves until ctx is done, and calls reload for each signal.
func serveGate(ctx context.Context, l net.Listener, h http.Handler, signals <-chan os.Signal, reload func()) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: gateHeaderTimeout, ReadTimeout: gateRequestTimeout, WriteTimeout: gateRequestTimeout,
		IdleTimeout: gateIdleTimeout, MaxHeaderBytes: gateHeaderBytes,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	for {
		select {
		case err := <-failed:
			return err
		case <-signals:
			reload()
		case <-ctx.Done():
			ending, cancel := context.WithTimeout(context.Background(), gateShutdownTimeout)
			defer cancel()
			return server.Shutdown(ending)
		}
	}
}
